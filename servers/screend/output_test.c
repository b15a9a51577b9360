/* servers/screend/output_test.c - which output is used, and that a driver that forgot everything gets everything again. */
#include "lib/base/string.h"
#include "lib/test/test.h"
#include "servers/screend/output.h"

/* A driver as the output sees it: by handle. */
struct fake {
	struct display_output output[3];        /* connected or not; flags 0 and no width: there is none */
	uint32_t next_number;
	handle_t surface[8];                    /* by number modulo 8; 0: none */
	uint32_t shown, damaged, modes;
	err_t refuse_surface, fail;             /* fail: everything */
};

static struct fake fake[4];     /* handle n + 1 */
static struct output output;
static struct driver_call *asked;
static struct output *asked_of;
static struct target text = { .object = 100, .is = { .size = { 640, 480 }, .pitch_bytes = 2560 } };
static struct target other = { .object = 101, .is = { .size = { 640, 480 }, .pitch_bytes = 2560 } };
static size_t to_draw, closed, changed, drawn, failures;
static struct display_rectangle last_damage;

static void call(struct output *o, struct driver_call *c) { CHECK(!asked); asked = c; asked_of = o; }
static void close_handle(handle_t h) { (void)h; closed++; }
static void on_changed(struct output *o)
{
	changed++;
	output_show(o, output_is_there(o) ? &text : NULL);
}
static size_t draw(struct output *o, struct display_rectangle *out)
{
	(void)o;
	for (size_t i = 0; i < to_draw; i++)
		out[i] = (struct display_rectangle){ 1, 2, 3, 4 };
	size_t count = to_draw;
	to_draw = 0;
	return count;
}
static void on_drawn(struct output *o) { (void)o; drawn++; }
static void on_failed(struct output *o) { (void)o; failures++; }
static const struct output_outside outside = {
	.call = call, .close = close_handle, .changed = on_changed, .draw = draw, .drawn = on_drawn, .failed = on_failed,
};

static int64_t do_call(struct fake *f, struct driver_call *c)
{
	struct display_output *o;

	if (f->fail)
		return f->fail;
	switch (c->code) {
	case DISPLAY_OUTPUT:
		if (c->word >= 3 || f->output[c->word].name[0] == 0)
			return ERR_NOENT;
		memcpy(c->out, &f->output[c->word], sizeof(*f->output));
		return sizeof(*f->output);
	case DISPLAY_MODE:
		o = &f->output[c->word];
		memcpy(&o->size, c->in, sizeof(o->size));
		f->modes++;
		return OK;
	case DISPLAY_SURFACE:
		if (f->refuse_surface)
			return f->refuse_surface;
		f->surface[++f->next_number % 8] = c->pass;
		return f->next_number;
	case DISPLAY_FREE:
		CHECK(f->surface[c->word % 8]);
		f->surface[c->word % 8] = 0;
		return OK;
	case DISPLAY_SHOW:
		if ((uint32_t)c->word && !f->surface[c->word % 8])
			return ERR_NOENT;
		f->shown = (uint32_t)c->word;
		return OK;
	default:
		CHECK_EQ(c->code, DISPLAY_DAMAGE);
		if (!f->surface[c->word % 8])
			return ERR_NOENT;
		CHECK_EQ(f->shown, c->word);
		memcpy(&last_damage, c->in, sizeof(last_damage));
		f->damaged += (uint32_t)(c->in_bytes / sizeof(last_damage));
		return OK;
	}
}

/* Until nothing is asked any more. */
static void settle(void)
{
	for (int i = 0; asked; i++) {
		struct driver_call *c = asked;

		CHECK(i < 100);
		asked = NULL;
		c->result = do_call(&fake[c->root - 1], c);
		output_answered(asked_of, c);
	}
}

static void has(struct fake *f, uint32_t n, uint32_t width, uint32_t height, uint32_t flags)
{
	f->output[n] = (struct display_output){ .size = { width, height }, .wanted = { width, height }, .display_flags = flags, .name = "x" };
}

static void start(void)
{
	memset(fake, 0, sizeof(fake));
	asked = NULL;
	text.number = other.number = to_draw = closed = changed = drawn = failures = 0;
	text.is_bad = other.is_bad = false;
	output_init(&output, &outside);
}

static void attach(handle_t root, const char *name)
{
	CHECK_EQ(output_attach(&output, name, strlen(name), root), OK);
	settle();
}

static handle_t shown_by(const struct fake *f)
{
	return f->shown ? f->surface[f->shown % 8] : 0;
}

TEST(the_first_connected_output_shows_all_of_it)
{
	start();
	has(&fake[0], 0, 640, 480, 0);
	has(&fake[0], 1, 800, 600, DISPLAY_IS_CONNECTED);
	attach(1, "gpu@1");
	CHECK(output_is_there(&output));
	CHECK_EQ(output.is.size.width, 800);
	CHECK_EQ(shown_by(&fake[0]), 100);
	CHECK_EQ(last_damage.width, 640);
	CHECK_EQ(changed, 1);
	CHECK(drawn > 0);
}

TEST(the_firmwares_is_only_used_until_there_is_another)
{
	start();
	has(&fake[0], 0, 1024, 768, DISPLAY_IS_CONNECTED | DISPLAY_IS_BOOT);
	attach(1, "boot");
	CHECK_EQ(output.is.size.width, 1024);
	has(&fake[1], 0, 800, 600, DISPLAY_IS_CONNECTED);
	attach(2, "gpu");
	CHECK_EQ(output.is.size.width, 800);
	CHECK_EQ(shown_by(&fake[1]), 100);
	CHECK_EQ(output_detach(&output, "gpu", 3), OK);
	settle();
	CHECK_EQ(output.is.size.width, 1024);
	CHECK_EQ(shown_by(&fake[0]), 100);
	CHECK_EQ(closed, 1);
	CHECK_EQ(output_detach(&output, "gpu", 3), ERR_NOENT);
}

TEST(what_is_drawn_is_told_once_and_nothing_without_need)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED);
	attach(1, "gpu");
	uint32_t before = fake[0].damaged;
	output_go_on(&output);
	CHECK(!asked);
	to_draw = 3;
	output_go_on(&output);
	settle();
	CHECK_EQ(fake[0].damaged, before + 3);
	CHECK_EQ(last_damage.x, 1);
}

TEST(a_driver_that_was_started_again_gets_everything_again)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED);
	attach(1, "gpu");
	memset(fake[0].surface, 0, sizeof(fake[0].surface));
	fake[0].shown = 0;
	to_draw = 1;
	output_go_on(&output);
	settle();
	CHECK_EQ(shown_by(&fake[0]), 100);
	CHECK_EQ(last_damage.width, 640);
	/* And when nothing is drawn, because it says so. */
	memset(fake[0].surface, 0, sizeof(fake[0].surface));
	fake[0].shown = 0;
	output_look_again(&output);
	settle();
	CHECK_EQ(shown_by(&fake[0]), 100);
}

TEST(a_number_of_another_driver_means_nothing)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED | DISPLAY_IS_BOOT);
	attach(1, "boot");
	output_show(&output, &other);
	settle();
	output_show(&output, &text);
	settle();
	has(&fake[1], 0, 640, 480, DISPLAY_IS_CONNECTED);
	attach(2, "gpu");
	/* The other has number 2 of the old one; the new one's 2 would be something else. */
	output_show(&output, &other);
	settle();
	CHECK_EQ(shown_by(&fake[1]), 101);
}

TEST(an_output_gets_the_size_that_it_would_like_and_is_asked_but_once)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED | DISPLAY_HAS_MODES);
	fake[0].output[0].wanted = (struct display_size){ 1280, 800 };
	attach(1, "gpu");
	CHECK_EQ(output.is.size.width, 1280);
	CHECK_EQ(fake[0].modes, 1);
	fake[0].output[0].wanted = (struct display_size){ 1000, 700 };
	output_look_again(&output);
	settle();
	CHECK_EQ(output.is.size.height, 700);
	CHECK_EQ(changed, 3);
}

TEST(what_the_driver_refuses_is_not_offered_for_ever)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED);
	fake[0].refuse_surface = ERR_INVAL;
	attach(1, "gpu");
	CHECK(text.is_bad);
	CHECK_EQ(fake[0].shown, 0);
	fake[0].refuse_surface = OK;
	output_show(&output, &other);
	settle();
	CHECK_EQ(shown_by(&fake[0]), 101);
}

TEST(a_driver_that_always_fails_is_left_alone_for_a_while)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED);
	attach(1, "gpu");
	memset(fake[0].surface, 0, sizeof(fake[0].surface));
	fake[0].refuse_surface = ERR_NOENT;
	to_draw = 1;
	output_go_on(&output);
	settle();
	CHECK_EQ(failures, 1);
	output_go_on(&output);
	CHECK(!asked);
	fake[0].refuse_surface = OK;
	output_try_again(&output);
	settle();
	CHECK_EQ(shown_by(&fake[0]), 100);
}

TEST(what_is_forgotten_is_freed_and_not_shown)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED);
	attach(1, "gpu");
	output_show(&output, &other);
	settle();
	output_forget(&output, &other);
	settle();
	CHECK_EQ(fake[0].shown, 0);
	for (int i = 0; i < 8; i++)
		CHECK(fake[0].surface[i] != 101);
}

TEST(a_driver_that_goes_while_it_is_asked_is_not_believed)
{
	start();
	has(&fake[0], 0, 640, 480, DISPLAY_IS_CONNECTED);
	CHECK_EQ(output_attach(&output, "gpu", 3, 1), OK);
	CHECK(asked);
	CHECK_EQ(output_detach(&output, "gpu", 3), OK);
	settle();
	CHECK(!output_is_there(&output));
	CHECK_EQ(fake[0].damaged, 0);
}

TEST(names_and_numbers_have_limits)
{
	char name[] = "gpu0";

	start();
	CHECK_EQ(output_attach(&output, "", 0, 1), ERR_INVAL);
	CHECK_EQ(output_attach(&output, "0123456789012345678901234567890123456789012345678", 49, 1), ERR_INVAL);
	for (; name[3] < '0' + OUTPUT_DRIVERS_MAX; name[3]++)
		attach(1, name);
	CHECK_EQ(output_attach(&output, "more", 4, 1), ERR_NOSPC);
	/* Again with the same name: in its place. */
	attach(2, "gpu0");
	CHECK_EQ(closed, 1);
}
