/* servers/screend/settings.c - two words. */
#include "servers/screend/settings.h"
#include "abi/proto/input.h"
#include "lib/base/string.h"

static bool read_screens(struct settings *s, const char *text)
{
	bool has_any = false;

	for (int i = 0; i < DISPLAY_SCREENS; i++)
		s->kind[i] = SCREEN_NONE;
	for (int i = 0; text[i]; i++) {
		if (i == DISPLAY_SCREENS || !strchr("TG-", text[i]))
			return false;
		s->kind[i] = text[i] == 'T' ? SCREEN_TEXT : text[i] == 'G' ? SCREEN_GRAPHIC : SCREEN_NONE;
		has_any |= text[i] == 'T';
	}
	return has_any;         /* without a text screen nobody could help himself */
}

static bool read_switch(struct settings *s, const char *text)
{
	s->switch_modifiers = !strcmp(text, "alt") ? INPUT_ALT : !strcmp(text, "super") ? INPUT_SUPER
	                      : !strcmp(text, "alt+super") ? INPUT_ALT | INPUT_SUPER : 0;
	return s->switch_modifiers != 0;
}

bool settings_read(struct settings *s, const char *screens, const char *switch_keys)
{
	bool is_good = true;

	if (!screens || !read_screens(s, screens)) {
		is_good = !screens;
		(void)read_screens(s, "TTTTTTGGGGGG");
	}
	if (!switch_keys || !read_switch(s, switch_keys)) {
		is_good &= !switch_keys;
		s->switch_modifiers = INPUT_ALT;
	}
	return is_good;
}
