/* servers/screend/settings.h - what init.rc says of the screens, in the service's environment.
 *
 * SCREENS=TTTTTTGGGGGG   a letter per screen, from display:1 on: T text, G graphic, - none
 * SWITCH=alt             the key that makes F1 to F12 switch: alt, super, or both (alt+super)
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "abi/proto/display.h"
#include "lib/base/attr.h"

enum screen_kind { SCREEN_NONE, SCREEN_TEXT, SCREEN_GRAPHIC };
struct settings {
	enum screen_kind kind[DISPLAY_SCREENS];         /* of display:1 at 0 */
	uint16_t switch_modifiers;                      /* enum input_modifiers; one of them is enough */
};

/* NULL: not said. What makes no sense is as if not said: false then. */
bool settings_read(struct settings *s, const char *screens, const char *switch_keys) MUST_CHECK;
