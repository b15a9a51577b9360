/* abi/proto/input.h - structs of input devices (input.def).
 *
 * Types and codes are those of Linux' input layer and of virtio-input (VIRTIO 1.2, 5.8): keys by their place on the keyboard, not by what is printed on them.
 */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum input_type { INPUT_SYNC = 0, INPUT_KEY = 1, INPUT_RELATIVE = 2, INPUT_ABSOLUTE = 3 };
enum { INPUT_CODES = 0x300, INPUT_BUTTONS = 0x100 /* codes from here on are buttons */, INPUT_BUTTON_LEFT = 0x110, INPUT_BUTTON_RIGHT, INPUT_BUTTON_MIDDLE };
enum input_axis { INPUT_X = 0, INPUT_Y = 1, INPUT_WHEEL = 8 /* relative: notches, up is positive */, INPUT_HORIZONTAL_WHEEL = 6 };
enum input_lights { INPUT_NUM_LOCK = 1 << 0, INPUT_CAPS_LOCK = 1 << 1, INPUT_SCROLL_LOCK = 1 << 2 };

enum input_kind { INPUT_IS_KEYBOARD = 1 << 0, INPUT_IS_MOUSE = 1 << 1, INPUT_IS_TABLET = 1 << 2 };
struct input_device {
	uint32_t kinds;                 /* enum input_kind */
	int32_t x_min, x_max, y_min, y_max;     /* of a tablet */
	uint32_t reserved;
	char name[40];                  /* ended by a 0 */
};

/* What a device reports. A group that belongs together ends with INPUT_SYNC. */
struct input_raw {
	uint16_t type, code;
	int32_t value;                  /* a key: 0 up, 1 down (repeats are not a device's to make); an axis: the way, or the place */
};

enum input_modifiers {
	INPUT_SHIFT = 1 << 0, INPUT_CONTROL = 1 << 1, INPUT_ALT = 1 << 2, INPUT_SUPER = 1 << 3, INPUT_ALT_GR = 1 << 4,
	INPUT_CAPS = 1 << 5, INPUT_NUM = 1 << 6,        /* the locks are on */
};
enum input_event_kind { INPUT_EVENT_KEY = 1, INPUT_EVENT_TEXT = 2 /* a symbol without a key of its own: what a dead key and the next made */,
	INPUT_EVENT_POINTER = 3, INPUT_EVENT_BUTTON = 4, INPUT_EVENT_WHEEL = 5 };
enum { INPUT_UP = 0, INPUT_DOWN = 1, INPUT_REPEAT = 2, INPUT_POINTER_SCALE = 65535 };

struct input_event {
	uint64_t time_ns;               /* monotonic */
	uint16_t kind;                  /* enum input_event_kind */
	uint16_t modifiers;             /* after it */
	uint16_t code;                  /* of the key or button */
	uint16_t value;                 /* INPUT_UP, INPUT_DOWN, INPUT_REPEAT */
	uint32_t symbol;                /* of a key that goes down: the Unicode character, or 0: it has none (arrows, F1) */
	int32_t x, y;                   /* POINTER: how far it moved, or (is_absolute) where it is, 0 to INPUT_POINTER_SCALE of the display; WHEEL: notches */
	uint32_t is_absolute;
};
