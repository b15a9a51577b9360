/* servers/inputd/core.c - reports become events: modifiers, dead keys, repeats, and a queue that keeps room for every release. */
#include "servers/inputd/core.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/keymap/keymap.h"

#define CORE_MAGIC 0x31445455504e4943ull        /* "CINPUTD1" */
#define SECOND_NS 1000000000ull

enum { DELAY_MS = 500, RATE = 30, DELAY_MS_MIN = 100, DELAY_MS_MAX = 5000, RATE_MAX = 100 };

static const struct keymap *layout_of(const struct core *c)
{
	return keymap_find(c->layout, strnlen(c->layout, sizeof(c->layout)));
}

static uint32_t held_of(const struct core_device *d)
{
	uint32_t count = 0;

	for (uint32_t word = 0; word < ARRAY_COUNT(d->held); word++)
		count += (uint32_t)__builtin_popcountll(d->held[word]);
	return count;
}

void core_init(struct core *c)
{
	bool makes_sense = c->magic == CORE_MAGIC && layout_of(c) && c->first < CORE_QUEUE && c->count <= CORE_QUEUE &&
	                   c->rate <= RATE_MAX && c->repeat_device < CORE_DEVICES_MAX;

	if (!makes_sense)
		*c = (struct core){ .magic = CORE_MAGIC, .layout = "us", .delay_ms = DELAY_MS, .rate = RATE };
	/* An instance may have ended between any two steps: how many are held is what the keys say, and who has no number never learnt it. */
	c->held_count = 0;
	for (uint32_t i = 0; i < CORE_DEVICES_MAX; i++) {
		if (!c->device[i].id || !c->device[i].is_used)
			c->device[i] = (struct core_device){ 0 };
		c->held_count += held_of(&c->device[i]);
	}
	c->is_read &= c->events_id != 0;
}

/* ---- The queue ------------------------------------------------------------------------------------------------------- */

static bool has_room(const struct core *c, uint32_t kept)
{
	return c->count + kept < CORE_QUEUE;
}

/* A release is always told, so every key that is down has its place in the queue. */
static void put(struct core *c, const struct input_event *e, uint32_t kept)
{
	if (c->is_read && has_room(c, kept))
		c->queue[(c->first + c->count++) % CORE_QUEUE] = *e;
}

/* What follows motion of the same kind is added to it. */
static bool merge(struct core *c, const struct input_event *e)
{
	struct input_event *last = &c->queue[(c->first + c->count - 1) % CORE_QUEUE];

	if (c->count == 0 || last->kind != e->kind || last->is_absolute != e->is_absolute)
		return false;
	last->x = e->is_absolute ? e->x : (int32_t)((uint32_t)last->x + (uint32_t)e->x);
	last->y = e->is_absolute ? e->y : (int32_t)((uint32_t)last->y + (uint32_t)e->y);
	last->time_ns = e->time_ns;
	return true;
}

static void put_motion(struct core *c, const struct input_event *e)
{
	if (!merge(c, e))
		put(c, e, CORE_MOTION_ROOM + c->held_count);
}

uint32_t core_take(struct core *c, struct input_event *out, uint32_t max)
{
	uint32_t n = MIN_OF(c->count, max);

	for (uint32_t i = 0; i < n; i++)
		out[i] = c->queue[(c->first + i) % CORE_QUEUE];
	c->first = (c->first + n) % CORE_QUEUE;
	c->count -= n;
	return n;
}

void core_forget_events(struct core *c)
{
	c->first = c->count = 0;
	c->repeat_ns = 0;
	c->dead = 0;
}

/* ---- Keys ------------------------------------------------------------------------------------------------------------ */

static uint64_t bit_of(uint16_t code) { return 1ull << code % 64; }

static bool is_held(const struct core *c, uint16_t code)
{
	for (uint32_t i = 0; i < CORE_DEVICES_MAX; i++)
		if (c->device[i].is_used && c->device[i].held[code / 64] & bit_of(code))
			return true;
	return false;
}

static uint32_t modifiers_of(const struct core *c)
{
	static const uint16_t keys[] = {
		KEY_LEFT_SHIFT, KEY_RIGHT_SHIFT, KEY_LEFT_CONTROL, KEY_RIGHT_CONTROL, KEY_LEFT_ALT, KEY_RIGHT_ALT, KEY_LEFT_SUPER, KEY_RIGHT_SUPER,
	};
	uint32_t modifiers = c->locks;

	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		if (is_held(c, keys[i]))
			modifiers |= keymap_modifier(layout_of(c), keys[i]);
	return modifiers;
}

/* The number pad's keys are released as what they went down as, whatever its lock is now. */
static uint16_t key_of(struct core_device *d, uint16_t code, bool down, uint32_t modifiers)
{
	uint16_t key = keymap_key(code, modifiers), bit;

	if (code < KEY_PAD_7 || code > KEY_PAD_DOT)
		return key;
	bit = (uint16_t)(1 << (code - KEY_PAD_7));
	if (!down)
		return d->pad_moved & bit ? keymap_key(code, 0) : keymap_key(code, INPUT_NUM);
	d->pad_moved = (uint16_t)((d->pad_moved & ~bit) | (key != code ? bit : 0));
	return key;
}

/* The symbol of a key that goes down, after what dead keys do. */
static void symbol_set(struct core *c, struct input_event *e)
{
	uint32_t symbol = keymap_symbol(layout_of(c), e->code, e->modifiers);
	bool is_command = e->modifiers & (INPUT_CONTROL | INPUT_ALT | INPUT_SUPER);

	if (symbol && keymap_is_dead(symbol) && is_command)
		symbol = keymap_accent(symbol);
	if (symbol && c->dead) {
		uint32_t dead = c->dead, both = keymap_compose(dead, symbol);
		c->dead = 0;
		if (!both) {
			struct input_event alone = *e;
			alone.kind = INPUT_EVENT_TEXT;
			alone.symbol = keymap_accent(dead);
			put(c, &alone, c->held_count + 1);
		} else {
			symbol = both;
		}
	}
	if (symbol && keymap_is_dead(symbol)) {
		c->dead = symbol;
		symbol = 0;
	}
	e->symbol = symbol;
}

static void repeat_start(struct core *c, uint32_t device, const struct input_event *e)
{
	c->repeat_ns = c->rate ? e->time_ns + c->delay_ms * 1000000ull : 0;
	c->repeat_device = device;
	c->repeat = *e;
	c->repeat.value = INPUT_REPEAT;
}

static void key_down(struct core *c, uint32_t device, struct input_event *e, uint16_t code)
{
	uint32_t lock = keymap_modifier(layout_of(c), code) & (INPUT_CAPS | INPUT_NUM);

	c->locks ^= lock;
	e->modifiers = (uint16_t)modifiers_of(c);
	e->code = key_of(&c->device[device], code, true, e->modifiers);
	if (!keymap_modifier(layout_of(c), code)) {
		symbol_set(c, e);
		repeat_start(c, device, e);
	}
	if (e->code == KEY_DELETE && (e->modifiers & (INPUT_CONTROL | INPUT_ALT)) == (INPUT_CONTROL | INPUT_ALT))
		c->wants_restart = true;
}

static void key_up(struct core *c, uint32_t device, struct input_event *e, uint16_t code)
{
	e->modifiers = (uint16_t)modifiers_of(c);
	e->code = key_of(&c->device[device], code, false, e->modifiers);
	if (e->code == c->repeat.code && device == c->repeat_device)
		c->repeat_ns = 0;
}

static void key(struct core *c, uint32_t device, uint16_t code, bool down, uint64_t now_ns)
{
	struct core_device *d = &c->device[device];
	struct input_event e = { .time_ns = now_ns, .kind = INPUT_EVENT_KEY, .code = code, .value = down ? INPUT_DOWN : INPUT_UP };

	if (code >= INPUT_CODES || down == !!(d->held[code / 64] & bit_of(code)) || (down && c->held_count >= CORE_HELD_MAX))
		return;
	/* Without a place for it and for its release it did not happen. */
	if (down && !has_room(c, c->held_count + 2))
		return;
	d->held[code / 64] ^= bit_of(code);
	c->held_count += down ? 1 : -1u;
	if (code >= INPUT_BUTTONS) {
		e.kind = INPUT_EVENT_BUTTON;
		e.modifiers = (uint16_t)modifiers_of(c);
	} else if (down) {
		key_down(c, device, &e, code);
	} else {
		key_up(c, device, &e, code);
	}
	put(c, &e, 0);
}

/* ---- Pointers -------------------------------------------------------------------------------------------------------- */

static int32_t scaled(int64_t value, int64_t min, int64_t max)
{
	value = MAX_OF(MIN_OF(value, max), min);
	return (int32_t)((value - min) * INPUT_POINTER_SCALE / (max - min));
}

static void pointer_sync(struct core *c, struct core_device *d, uint64_t now_ns)
{
	struct input_event e = { .time_ns = now_ns, .kind = INPUT_EVENT_POINTER, .is_absolute = d->has_place };

	if (!d->has_moved)
		return;
	e.modifiers = (uint16_t)modifiers_of(c);
	e.x = d->has_place ? scaled(d->x, d->info.x_min, d->info.x_max) : d->x;
	e.y = d->has_place ? scaled(d->y, d->info.y_min, d->info.y_max) : d->y;
	put_motion(c, &e);
	d->has_moved = false;
	if (!d->has_place)
		d->x = d->y = 0;
}

static void pointer_relative(struct core *c, struct core_device *d, const struct input_raw *r, uint64_t now_ns)
{
	struct input_event e = { .time_ns = now_ns, .kind = INPUT_EVENT_WHEEL };

	if (r->code == INPUT_X || r->code == INPUT_Y) {
		int32_t *to = r->code == INPUT_X ? &d->x : &d->y;
		*to = d->has_place ? r->value : (int32_t)((uint32_t)*to + (uint32_t)r->value);
		d->has_place = false;
		d->has_moved = true;
	} else if (r->code == INPUT_WHEEL || r->code == INPUT_HORIZONTAL_WHEEL) {
		e.modifiers = (uint16_t)modifiers_of(c);
		*(r->code == INPUT_WHEEL ? &e.y : &e.x) = r->value;
		put_motion(c, &e);
	}
}

static void pointer_absolute(struct core_device *d, const struct input_raw *r)
{
	bool has_range = d->info.x_max > d->info.x_min && d->info.y_max > d->info.y_min;

	if (!has_range || (r->code != INPUT_X && r->code != INPUT_Y))
		return;
	*(r->code == INPUT_X ? &d->x : &d->y) = r->value;
	d->has_place = d->has_moved = true;
}

/* ---- Devices --------------------------------------------------------------------------------------------------------- */

err_t core_device_add(struct core *c, uint32_t *out)
{
	for (uint32_t i = 0; i < CORE_DEVICES_MAX; i++)
		if (!c->device[i].is_used) {
			c->device[i] = (struct core_device){ .is_used = true, .lights_told = UINT32_MAX };
			*out = i;
			return OK;
		}
	return ERR_NFILE;
}

void core_device_remove(struct core *c, uint32_t device, uint64_t now_ns)
{
	struct core_device *d = &c->device[device];

	for (uint32_t word = 0; word < ARRAY_COUNT(d->held); word++)
		while (d->held[word])
			key(c, device, (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(d->held[word])), false, now_ns);
	*d = (struct core_device){ 0 };
}

err_t core_device_find(const struct core *c, uint64_t id, uint32_t *out)
{
	for (*out = 0; *out < CORE_DEVICES_MAX; ++*out)
		if (c->device[*out].is_used && id && c->device[*out].id == id)
			return OK;
	return ERR_NOENT;
}

err_t core_device_set(struct core *c, uint32_t device, const struct input_device *info)
{
	bool has_range = info->x_max > info->x_min && info->y_max > info->y_min;

	if (info->kinds == 0 || info->kinds & ~(uint32_t)(INPUT_IS_KEYBOARD | INPUT_IS_MOUSE | INPUT_IS_TABLET) ||
	    (info->kinds & INPUT_IS_TABLET && !has_range) || !memchr(info->name, 0, sizeof(info->name)))
		return ERR_INVAL;
	/* A place by another range than its own is none. */
	c->device[device].has_place = c->device[device].has_moved = false;
	c->device[device].x = c->device[device].y = 0;
	c->device[device].info = *info;
	return OK;
}

void core_report(struct core *c, uint32_t device, const struct input_raw *r, uint64_t now_ns)
{
	struct core_device *d = &c->device[device];

	switch (r->type) {
	case INPUT_SYNC:
		pointer_sync(c, d, now_ns);
		return;
	case INPUT_KEY:
		/* Where it happened comes before what happened there. */
		pointer_sync(c, d, now_ns);
		if (r->value == INPUT_UP || r->value == INPUT_DOWN)
			key(c, device, r->code, r->value == INPUT_DOWN, now_ns);
		return;
	case INPUT_RELATIVE:
		pointer_relative(c, d, r, now_ns);
		return;
	case INPUT_ABSOLUTE:
		pointer_absolute(d, r);
		return;
	default:
		return;
	}
}

/* ---- Repeats --------------------------------------------------------------------------------------------------------- */

uint64_t core_deadline(const struct core *c) { return c->repeat_ns ? c->repeat_ns : UINT64_MAX; }

void core_tick(struct core *c, uint64_t now_ns)
{
	if (!c->repeat_ns || now_ns < c->repeat_ns)
		return;
	/* A dead key's repeat is nothing new. */
	c->repeat.time_ns = now_ns;
	c->repeat.modifiers = (uint16_t)modifiers_of(c);
	put(c, &c->repeat, CORE_MOTION_ROOM + c->held_count);
	c->repeat_ns = c->rate ? now_ns + SECOND_NS / c->rate : 0;
}

/* ---- Settings -------------------------------------------------------------------------------------------------------- */

/* Takes the next word off the text; false: there is none. */
static bool word_take(const char **text, size_t *bytes, const char **word, size_t *word_bytes)
{
	while (*bytes && (**text == ' ' || **text == '\n')) {
		++*text;
		--*bytes;
	}
	*word = *text;
	while (*bytes && **text != ' ' && **text != '\n') {
		++*text;
		--*bytes;
	}
	*word_bytes = (size_t)(*text - *word);
	return *word_bytes > 0;
}

err_t core_set_layout(struct core *c, const char *text, size_t bytes)
{
	const char *word;
	size_t word_bytes;
	uint64_t delay_ms = c->delay_ms, rate = c->rate;

	if (!word_take(&text, &bytes, &word, &word_bytes))
		return ERR_INVAL;
	const struct keymap *layout = keymap_find(word, word_bytes);
	if (!layout)
		return ERR_INVAL;
	if (word_take(&text, &bytes, &word, &word_bytes)) {
		TRY(number_parse(word, word_bytes, 10, &delay_ms));
		if (!word_take(&text, &bytes, &word, &word_bytes))
			return ERR_INVAL;
		TRY(number_parse(word, word_bytes, 10, &rate));
	}
	if (word_take(&text, &bytes, &word, &word_bytes) || delay_ms < DELAY_MS_MIN || delay_ms > DELAY_MS_MAX || rate > RATE_MAX)
		return ERR_INVAL;
	string_copy(c->layout, keymap_name(layout), sizeof(c->layout));
	c->delay_ms = (uint32_t)delay_ms;
	c->rate = (uint32_t)rate;
	c->repeat_ns = 0;
	c->dead = 0;
	return OK;
}

uint32_t core_lights(const struct core *c)
{
	return (c->locks & INPUT_CAPS ? INPUT_CAPS_LOCK : 0) | (c->locks & INPUT_NUM ? INPUT_NUM_LOCK : 0);
}
