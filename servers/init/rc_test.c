/* servers/init/rc_test.c */
#include "abi/ops.h"
#include "abi/proto/task.h"
#include "lib/native/heap.h"
#include "lib/test/test.h"
#include "servers/init/rc.h"

static char text[4096];

static err_t parse(struct rc *rc, const char *from, struct rc_error *error)
{
	memcpy(text, from, strlen(from) + 1);
	*rc = (struct rc){ 0 };
	return rc_parse(rc, text, strlen(from), error);
}

static void check_error(const char *from, uint32_t line)
{
	struct rc_error error;
	struct rc rc;

	CHECK_EQ(parse(&rc, from, &error), ERR_INVAL);
	CHECK_EQ(error.line, line);
	CHECK(error.what != NULL);
	rc_free(&rc);
}

TEST(a_service_has_what_its_lines_say)
{
	struct rc_error error;
	struct rc rc;

	CHECK_EQ(parse(&rc, "# first\n\nservice procd /boot/procd -v \"two words\"\n"
	               "\tscheme posix redeliver\n\tscheme procfs fail\n\tuse time rand # not this\n\tuse event\n"
	               "\thandle admin @admin\n\thandle com1 mem:port:3f8+8 read optional mode=run\n\tenvironment A=1 B=2\n\tafter logd\n"
	               "\tpriority server\n\tuser 5 6\n\tmode run exec\n\tready no\n\trestart no\n\tlimit 3\n\twatchdog 20\n\tessential yes\n\tstate 64\n", &error), OK);
	CHECK_EQ(rc.count, 1);
	struct rc_service *s = rc_find(&rc, "procd");
	CHECK(s && !s->is_session && !s->has_ready && !s->is_restarted && s->has_user);
	CHECK_EQ(s->arguments.count, 3);
	CHECK_STR(s->arguments.word[2], "two words");
	CHECK_EQ(s->scheme_count, 2);
	CHECK_EQ(s->scheme[0].scheme_flags, SCHEME_REDELIVER);
	CHECK_EQ(s->scheme[1].scheme_flags, SCHEME_FAIL_WITHOUT_SERVER);
	CHECK_EQ(s->uses.count, 3);
	CHECK_STR(s->uses.word[2], "event");
	CHECK_EQ(s->handle_count, 2);
	CHECK(s->handle[0].scheme == NULL);
	CHECK_STR(s->handle[0].ref, "admin");
	CHECK_STR(s->handle[1].scheme, "mem");
	CHECK_STR(s->handle[1].ref, "port:3f8+8");
	CHECK_EQ(s->handle[1].open_flags, OPEN_READ);
	CHECK(s->handle[1].is_optional && !s->handle[0].is_optional && !s->handle[0].mode);
	CHECK_STR(s->handle[1].mode, "run");
	CHECK_EQ(s->environment.count, 2);
	CHECK_EQ(s->priority, PRIORITY_SERVER);
	CHECK(s->uid == 5 && s->gid == 6 && s->limit == 3 && s->watchdog_s == 20 && s->is_essential && s->state_bytes == 64);
	CHECK(rc_is_in_mode(s, "exec") && !rc_is_in_mode(s, "other"));
	CHECK(rc_find_scheme(&rc, "procfs") == s && !rc_find_scheme(&rc, "file"));
	rc_free(&rc);
}

TEST(a_file_may_name_the_next)
{
	struct rc_error error;
	struct rc rc;

	CHECK_EQ(parse(&rc, "continue file:/etc/init.rc\nservice a /b\n\tscheme x public\n", &error), OK);
	CHECK_STR(rc.next_scheme, "file");
	CHECK_STR(rc.next_ref, "/etc/init.rc");
	CHECK(rc.service[0]->scheme[0].is_public);
	char more[] = "service c /d\n";
	CHECK_EQ(rc_parse(&rc, more, strlen(more), &error), OK);
	CHECK(rc.count == 2 && rc.next_scheme == NULL);
	rc_free(&rc);
	check_error("continue\n", 1);
	check_error("continue nowhere\n", 1);
	check_error("continue a:b\ncontinue a:c\n", 2);
}

TEST(a_session_is_not_asked_for_readiness_and_never_given_up)
{
	struct rc_error error;
	struct rc rc;

	CHECK_EQ(parse(&rc, "session shell /boot/linux /bin/sh -l\n", &error), OK);
	CHECK(rc.service[0]->is_session && !rc.service[0]->has_ready && rc.service[0]->limit == 0);
	CHECK(rc_is_in_mode(rc.service[0], "anything"));
	CHECK_STR(rc.service[0]->image, "/boot/linux");
	CHECK_EQ(rc.service[0]->arguments.count, 2);
	CHECK_STR(rc.service[0]->arguments.word[0], "/bin/sh");
	rc_free(&rc);
}

TEST(mistakes_are_told_with_their_line)
{
	check_error("scheme x\n", 1);
	check_error("service a\n", 1);
	check_error("session a /boot/linux\n", 1);
	check_error("service a /b\nservice a /b\n", 2);
	check_error("service a /b\n\tscheme\n", 2);
	check_error("service a /b\n\tscheme x sometimes\n", 2);
	check_error("service a /b\n\thandle x y\n", 2);
	check_error("service a /b\n\thandle x @root\n", 2);
	check_error("service a /b\n\thandle x y:z maybe\n", 2);
	check_error("service a /b\n\n\tpriority great\n", 3);
	check_error("service a /b\n\tuser root root\n", 2);
	check_error("service a /b\n\tready yes\n", 2);
	check_error("service a /b\n\tlimit 99999999999\n", 2);
	check_error("service a /b\n\tenvironment A\n", 2);
	check_error("service a \"/b\n", 1);
	check_error("service a /b\n\tfrobnicate\n", 2);
	check_error("service a /b", 1);
	check_error("service a_name_that_is_far_too_long_to_be_one /b\n", 1);
	check_error("service a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25\n", 1);
}

TEST(a_service_with_a_mistake_is_left_out)
{
	struct rc_error error;
	struct rc rc;

	CHECK_EQ(parse(&rc, "service a /b\nservice c /d\n\tfrobnicate\nservice e /f\n", &error), ERR_INVAL);
	CHECK(rc.count == 1 && rc_find(&rc, "a"));
	rc_free(&rc);
	CHECK_EQ(parse(&rc, "service a /b\nservice a\n", &error), ERR_INVAL);
	CHECK_EQ(rc.count, 1);
	rc_free(&rc);
}

TEST(no_memory_for_a_service_is_an_error)
{
	struct rc_error error;
	struct rc rc;

	heap_fail_after(1);
	CHECK_EQ(parse(&rc, "service a /b\n", &error), ERR_INVAL);
	CHECK_EQ(rc.count, 0);
}

TEST(options_are_found_among_the_words_of_a_command_line)
{
	char value[8];
	const char *line = "quiet mode=exec xmode=no rows=25 long=0123456789";

	rc_option(line, strlen(line), "mode", "run", value, sizeof value);
	CHECK_STR(value, "exec");
	rc_option(line, strlen(line), "columns", "80", value, sizeof value);
	CHECK_STR(value, "80");
	rc_option(line, strlen(line), "long", "", value, sizeof value);
	CHECK_STR(value, "0123456");
	rc_option("", 0, "mode", "run", value, sizeof value);
	CHECK_STR(value, "run");
}
