/* lib/keymap/keymap_test.c - what is printed on the keys comes out. */
#include "abi/proto/input.h"
#include "lib/keymap/layouts.h"
#include "lib/test/test.h"

enum {
	KEY_1 = 2, KEY_7 = 8, KEY_EQUAL = 13, KEY_Q = 16, KEY_E = 18, KEY_Y = 21, KEY_A = 30, KEY_SEMICOLON = 39, KEY_BELOW_ESCAPE = 41,
	KEY_BACKSLASH = 43, KEY_Z = 44, KEY_SLASH = 53, KEY_ISO = 86,
};

static const struct keymap *layout(const char *name)
{
	const struct keymap *k = keymap_find(name, strlen(name));

	CHECK(k != NULL);
	return k;
}

static bool types(uint16_t key)
{
	return (key >= KEY_1 && key <= KEY_EQUAL) || (key >= KEY_Q && key <= 27) || (key >= KEY_A && key <= KEY_BELOW_ESCAPE) ||
	       (key >= KEY_BACKSLASH && key <= KEY_SLASH) || key == KEY_ISO;
}

TEST(every_layout_gives_each_key_of_the_letters_a_symbol_with_and_without_shift)
{
	for (uint32_t n = 0; keymap_nth(n); n++)
		for (uint16_t key = 1; key < 100; key++) {
			if (!types(key))
				continue;
			CHECK(keymap_symbol(keymap_nth(n), key, 0) != 0);
			CHECK(keymap_symbol(keymap_nth(n), key, INPUT_SHIFT) != 0);
			CHECK(keymap_symbol(keymap_nth(n), key, 0) != keymap_symbol(keymap_nth(n), key, INPUT_SHIFT));
		}
}

TEST(no_row_of_any_layout_is_longer_than_its_keys)
{
	static const uint32_t keys[KEYMAP_ROWS] = { 13, 12, 12, 11 };

	for (const struct keymap *k = keymaps; k->name; k++)
		for (uint32_t row = 0; row < KEYMAP_ROWS; row++)
			for (uint32_t level = 0; level < KEYMAP_LEVELS; level++) {
				uint32_t count = 0;
				while (k->row[row][level] && k->row[row][level][count])
					count++;
				CHECK(level == 2 ? count <= keys[row] : count == keys[row]);
			}
}

TEST(keys_are_where_the_layout_has_them)
{
	CHECK_EQ(keymap_symbol(layout("us"), KEY_Q, 0), 'q');
	CHECK_EQ(keymap_symbol(layout("us"), KEY_BELOW_ESCAPE, INPUT_SHIFT), '~');
	CHECK_EQ(keymap_symbol(layout("us"), KEY_BACKSLASH, 0), '\\');
	CHECK_EQ(keymap_symbol(layout("de"), KEY_Y, 0), 'z');
	CHECK_EQ(keymap_symbol(layout("de"), KEY_Z, INPUT_SHIFT), 'Y');
	CHECK_EQ(keymap_symbol(layout("de"), KEY_SEMICOLON, 0), 0xf6);
	CHECK_EQ(keymap_symbol(layout("de"), KEY_7, INPUT_ALT_GR), '{');
	CHECK_EQ(keymap_symbol(layout("de"), KEY_ISO, INPUT_ALT_GR), '|');
	CHECK_EQ(keymap_symbol(layout("de"), KEY_E, INPUT_ALT_GR), 0x20ac);
	CHECK_EQ(keymap_symbol(layout("fr"), KEY_Q, 0), 'a');
	CHECK_EQ(keymap_symbol(layout("fr"), KEY_1, INPUT_SHIFT), '1');
	CHECK_EQ(keymap_symbol(layout("uk"), KEY_BACKSLASH, INPUT_SHIFT), '~');
	CHECK_EQ(keymap_symbol(layout("es"), KEY_SEMICOLON, INPUT_SHIFT), 0xd1);
	CHECK_EQ(keymap_symbol(layout("dvorak"), KEY_SEMICOLON, 0), 's');
	CHECK_EQ(keymap_symbol(layout("dvorak"), KEY_SLASH, INPUT_SHIFT), 'Z');
	CHECK_EQ(keymap_symbol(layout("us"), KEY_SPACE, INPUT_SHIFT), ' ');
	CHECK_EQ(keymap_symbol(layout("us"), KEY_F1, 0), 0);
}

TEST(caps_lock_is_for_letters)
{
	CHECK_EQ(keymap_symbol(layout("us"), KEY_Q, INPUT_CAPS), 'Q');
	CHECK_EQ(keymap_symbol(layout("us"), KEY_Q, INPUT_CAPS | INPUT_SHIFT), 'q');
	CHECK_EQ(keymap_symbol(layout("us"), KEY_1, INPUT_CAPS), '1');
	CHECK_EQ(keymap_symbol(layout("de"), KEY_SEMICOLON, INPUT_CAPS), 0xd6);
	CHECK_EQ(keymap_symbol(layout("fr"), KEY_1, INPUT_CAPS), '&');
}

TEST(alt_gr_is_alt_where_the_layout_has_no_third_level)
{
	CHECK_EQ(keymap_modifier(layout("us"), KEY_RIGHT_ALT), INPUT_ALT);
	CHECK_EQ(keymap_modifier(layout("de"), KEY_RIGHT_ALT), INPUT_ALT_GR);
	CHECK_EQ(keymap_modifier(layout("de"), KEY_LEFT_ALT), INPUT_ALT);
	CHECK_EQ(keymap_modifier(layout("de"), KEY_Q), 0);
}

TEST(the_number_pad_moves_unless_its_lock_is_on)
{
	CHECK_EQ(keymap_key(KEY_PAD_7, 0), KEY_HOME);
	CHECK_EQ(keymap_key(KEY_PAD_7, INPUT_NUM), KEY_PAD_7);
	CHECK_EQ(keymap_key(KEY_PAD_7, INPUT_NUM | INPUT_SHIFT), KEY_HOME);
	CHECK_EQ(keymap_symbol(layout("us"), KEY_PAD_7, INPUT_NUM), '7');
	CHECK_EQ(keymap_symbol(layout("us"), KEY_PAD_DOT, INPUT_NUM), '.');
	CHECK_EQ(keymap_key(KEY_PAD_7 + 3, 0), KEY_PAD_7 + 3);          /* minus types always */
	CHECK_EQ(keymap_key(KEY_PAD_ENTER, 0), KEY_ENTER);
	CHECK_EQ(keymap_key(KEY_Q, 0), KEY_Q);
}

TEST(dead_keys_put_accents_on_what_follows)
{
	uint32_t circumflex = keymap_symbol(layout("de"), KEY_BELOW_ESCAPE, 0), acute = keymap_symbol(layout("de"), KEY_EQUAL, 0);

	CHECK(keymap_is_dead(circumflex) && keymap_is_dead(acute) && !keymap_is_dead('^'));
	CHECK_EQ(keymap_compose(circumflex, 'o'), 0xf4);
	CHECK_EQ(keymap_compose(acute, 'E'), 0xc9);
	CHECK_EQ(keymap_compose(acute, ' '), 0xb4);
	CHECK_EQ(keymap_compose(circumflex, circumflex), '^');
	CHECK_EQ(keymap_compose(circumflex, 'q'), 0);
	CHECK_EQ(keymap_compose(0x36f, 'a'), 0);
}

TEST(every_dead_key_of_every_layout_has_an_accent)
{
	for (const struct keymap *k = keymaps; k->name; k++)
		for (uint32_t row = 0; row < KEYMAP_ROWS; row++)
			for (uint32_t level = 0; level < KEYMAP_LEVELS; level++)
				for (const uint32_t *s = k->row[row][level]; s && *s; s++)
					CHECK(!keymap_is_dead(*s) || keymap_accent(*s) != 0);
}

TEST(a_layout_that_does_not_exist_is_not_found)
{
	CHECK(!keymap_find("xx", 2) && !keymap_find("u", 1) && !keymap_find("usa", 3) && !keymap_find("", 0));
	CHECK(!keymap_nth(1000));
}
