/* servers/init/rc_test.c */
#include "lib/base/fmt.h"
#include "lib/native/heap.h"
#include "lib/test/test.h"
#include "servers/init/rc.h"

static char text[4096];
static uint32_t told_count, told_line;

static void told(const struct words_error *e)
{
	CHECK_STR(e->file, "rc");
	CHECK(e->what != NULL);
	if (told_count++ == 0)
		told_line = e->line;
}

static void parse(struct rc *rc, const char *from)
{
	memcpy(text, from, strlen(from) + 1);
	*rc = (struct rc){ 0 };
	told_count = told_line = 0;
	rc_parse(rc, "rc", text, strlen(from), told);
}

/* One mistake, in this line; services are left. */
static void check_mistake(const char *from, uint32_t line, uint32_t services)
{
	struct rc rc;

	parse(&rc, from);
	CHECK_EQ(told_count, 1);
	CHECK_EQ(told_line, line);
	CHECK_EQ(rc.count, services);
	rc_free(&rc);
}

TEST(services_are_started_by_name_or_described)
{
	struct rc rc;

	parse(&rc, "start a b mode=exec\nstart c\ndevices pci\nservice d /boot/e -v\n\tscheme d\n\tstate 64\nstart f\n");
	CHECK_EQ(told_count, 0);
	CHECK_EQ(rc.start_count, 4);
	CHECK_STR(rc.start[1].name, "b");
	CHECK_STR(rc.start[1].mode, "exec");
	CHECK(!rc.start[2].mode);
	CHECK_STR(rc.devices, "pci");
	CHECK_EQ(rc.count, 1);
	CHECK_STR(rc.service[0]->image, "/boot/e");
	CHECK_STR(rc.service[0]->arguments.word[1], "-v");
	CHECK(rc.service[0]->state_bytes == 64 && rc_find(&rc, "d") && !rc_find(&rc, "e"));
	CHECK(rc_find_scheme(&rc, "d") == rc.service[0] && !rc_find_scheme(&rc, "e"));
	rc_free(&rc);
}

TEST(a_file_may_name_the_next)
{
	struct rc rc;

	parse(&rc, "continue file:/etc/init.rc\nservice a /b\n\tscheme x public\n");
	CHECK_STR(rc.next_scheme, "file");
	CHECK_STR(rc.next_ref, "/etc/init.rc");
	char more[] = "service c /d\n";
	rc_parse(&rc, "rc", more, strlen(more), told);
	CHECK(rc.count == 2 && rc.next_scheme == NULL && told_count == 0);
	rc_free(&rc);
	check_mistake("continue\n", 1, 0);
	check_mistake("continue nowhere\n", 1, 0);
	check_mistake("continue a:b\ncontinue a:c\n", 2, 0);
	check_mistake("devices\n", 1, 0);
}

TEST(a_session_is_not_asked_for_readiness_and_never_given_up)
{
	struct rc rc;

	parse(&rc, "session shell /boot/linux /bin/sh -l\n");
	CHECK(rc.service[0]->is_session && !rc.service[0]->has_ready && rc.service[0]->restart.limit == 0);
	CHECK(manifest_is_in_mode(rc.service[0], "anything"));
	CHECK_STR(rc.service[0]->image, "/boot/linux");
	CHECK_EQ(rc.service[0]->arguments.count, 2);
	CHECK_STR(rc.service[0]->arguments.word[0], "/bin/sh");
	rc_free(&rc);
}

TEST(a_mistake_loses_the_service_in_which_it_is_and_nothing_else)
{
	check_mistake("scheme x\nservice a /b\n", 1, 1);
	check_mistake("service a\n\tscheme x\nservice b /b\n", 1, 1);
	check_mistake("session a /boot/linux\n", 1, 0);
	check_mistake("service a /b\n\tfrobnicate\n\tand again\nservice e /f\n", 2, 1);
	check_mistake("service a /b\nservice a /c\nservice e /f\n", 2, 2);
	check_mistake("service a /b\n\tscheme x\nservice c /d\n\tscheme x\nservice e /f\n", 3, 2);
	check_mistake("service a /b\nservice c \"/d\n\tuse e\nservice e /f\n", 2, 2);
	check_mistake("service a /b\n\tuse \"x\nservice e /f\n", 2, 1);
	check_mistake("service a_name_that_is_far_too_long_to_be_one_of_a_service /b\n", 1, 0);
	check_mistake("service e /f\n\tuse x", 2, 0);
	check_mistake("start b\n\tuse x\nservice e /f\n", 2, 1);
}

TEST(no_memory_for_a_service_is_said)
{
	heap_fail_after(1);
	check_mistake("service a /b\n\tuse x\nservice c /d\n", 1, 1);
}

TEST(no_more_services_than_there_is_room_for)
{
	char many[2048] = "";
	struct rc rc;

	for (int i = 0; i < RC_SERVICES_MAX + 1; i++)
		fmt(many + strlen(many), sizeof many - strlen(many), "service s%d /b\n", i);
	parse(&rc, many);
	CHECK(told_count == 1 && told_line == RC_SERVICES_MAX + 1 && rc.count == RC_SERVICES_MAX);
	rc_free(&rc);
}
