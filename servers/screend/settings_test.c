/* servers/screend/settings_test.c - what init.rc says of the screens, and what is taken when it makes no sense. */
#include "abi/proto/input.h"
#include "lib/test/test.h"
#include "servers/screend/settings.h"

TEST(a_letter_for_each_screen)
{
	struct settings s;

	CHECK(settings_read(&s, "TG-T", "super"));
	CHECK_EQ(s.kind[0], SCREEN_TEXT);
	CHECK_EQ(s.kind[1], SCREEN_GRAPHIC);
	CHECK_EQ(s.kind[2], SCREEN_NONE);
	CHECK_EQ(s.kind[3], SCREEN_TEXT);
	CHECK_EQ(s.kind[4], SCREEN_NONE);
	CHECK_EQ(s.switch_modifiers, INPUT_SUPER);
	CHECK(settings_read(&s, NULL, "alt+super"));
	CHECK_EQ(s.switch_modifiers, INPUT_ALT | INPUT_SUPER);
}

TEST(what_makes_no_sense_is_said_and_the_usual_taken)
{
	static const char *const bad[] = { "", "GGGG", "----", "TX", "TTTTTTTTTTTTT", "t" };
	struct settings s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(!settings_read(&s, bad[i], "alt"));
		CHECK_EQ(s.kind[5], SCREEN_TEXT);
		CHECK_EQ(s.kind[11], SCREEN_GRAPHIC);
	}
	CHECK(!settings_read(&s, "TT", "control"));
	CHECK_EQ(s.switch_modifiers, INPUT_ALT);
	CHECK_EQ(s.kind[1], SCREEN_TEXT);
	CHECK_EQ(s.kind[2], SCREEN_NONE);
	CHECK(settings_read(&s, NULL, NULL));
}
