/* servers/init/manifest_test.c */
#include "abi/ops.h"
#include "abi/proto/task.h"
#include "lib/test/test.h"
#include "servers/init/manifest.h"

static char text[4096];
static struct manifest m;
static struct words_error mistake;

static err_t parse(const char *from)
{
	memcpy(text, from, strlen(from) + 1);
	return manifest_parse(&m, "name", text, strlen(from), &mistake);
}

static void check_mistake(const char *from, uint32_t line, const char *word)
{
	CHECK_EQ(parse(from), ERR_INVAL);
	CHECK_EQ(mistake.line, line);
	CHECK(mistake.what != NULL);
	CHECK_STR(mistake.word ? mistake.word : "", word);
}

TEST(a_service_has_what_its_lines_say)
{
	CHECK_EQ(parse("# first\n\nprogram /boot/other\narguments -v \"two words\"\n"
	               "scheme posix redeliver\nscheme procfs fail\nuse time rand # not this\nuse event\n"
	               "handle admin @admin\n\thandle com1 mem:port:3f8+8 read optional mode=run\nenvironment A=1 B=2\nafter logd\n"
	               "priority server\nuser 5 6\nmode run exec\nready no\nrestart no\nrestart limit=3 wait=1ms most=2s\nwatchdog 20\n"
	               "essential yes\nstate 64K\nstop 7s\nquota memory=4M threads=3\n"), OK);
	CHECK(!m.is_session && !m.has_ready && !m.is_restarted && m.has_user);
	CHECK_STR(m.image, "/boot/other");
	CHECK_EQ(m.arguments.count, 3);
	CHECK_STR(m.arguments.word[0], "/boot/other");
	CHECK_STR(m.arguments.word[2], "two words");
	CHECK_EQ(m.scheme_count, 2);
	CHECK_EQ(m.scheme[0].scheme_flags, SCHEME_REDELIVER);
	CHECK_EQ(m.scheme[1].scheme_flags, SCHEME_FAIL_WITHOUT_SERVER);
	CHECK_EQ(m.uses.count, 3);
	CHECK_STR(m.uses.word[2], "event");
	CHECK_EQ(m.handle_count, 2);
	CHECK(m.handle[0].scheme == NULL);
	CHECK_STR(m.handle[0].ref, "admin");
	CHECK_STR(m.handle[1].scheme, "mem");
	CHECK_STR(m.handle[1].ref, "port:3f8+8");
	CHECK_EQ(m.handle[1].open_flags, OPEN_READ);
	CHECK(m.handle[1].is_optional && !m.handle[0].is_optional && !m.handle[0].mode);
	CHECK_STR(m.handle[1].mode, "run");
	CHECK_EQ(m.environment.count, 2);
	CHECK_EQ(m.priority, PRIORITY_SERVER);
	CHECK(m.uid == 5 && m.gid == 6 && m.watchdog_s == 20 && m.is_essential && m.state_bytes == 65536);
	CHECK(m.restart.limit == 3 && m.restart.wait_ns == 1000000 && m.restart.most_ns == 2000000000 && m.stop_ns == 7000000000);
	CHECK(manifest_has_quota(&m) && m.memory_bytes_max == 4 << 20 && m.threads_max == 3 && m.handles_max == UINT64_MAX);
	CHECK(manifest_is_in_mode(&m, "exec") && !manifest_is_in_mode(&m, "other"));
	CHECK(manifest_serves(&m, "procfs") && !manifest_serves(&m, "file"));
}

TEST(what_says_nothing_runs_the_usual_program_with_the_usual_policy)
{
	CHECK_EQ(parse(""), OK);
	CHECK_STR(m.image, "/boot/name");
	CHECK_EQ(m.arguments.count, 1);
	CHECK(m.has_ready && m.is_restarted && m.restart.limit > 0 && m.watchdog_s == 0 && !manifest_has_quota(&m));
	CHECK(manifest_is_in_mode(&m, "anything"));
	CHECK_EQ(m.uses.count, 0);
}

TEST(a_driver_says_what_it_drives_and_where_it_is_attached)
{
	CHECK_EQ(parse("match pci 1af4:1042\nmatch pci class 01:08\nmatch pci class 01:08:02\nattach disk vd\n"), OK);
	CHECK_EQ(m.match_count, 3);
	CHECK(m.match[0].kind == MATCH_DEVICE && m.match[0].vendor == 0x1af4 && m.match[0].device == 0x1042);
	CHECK(m.match[1].kind == MATCH_CLASS && m.match[1].class == 1 && m.match[1].subclass == 8);
	CHECK(m.match[2].kind == MATCH_INTERFACE && m.match[2].interface == 2);
	CHECK_STR(m.attach_scheme, "disk");
	CHECK_STR(m.attach_kind, "vd");
	CHECK_EQ(parse("attach disk\n"), OK);
	CHECK_STR(m.attach_kind, "name");
	check_mistake("match usb 1af4:1042\n", 1, "usb");
	check_mistake("match pci 1af4\n", 1, "1af4");
	check_mistake("match pci 11af4:1042\n", 1, "11af4:1042");
	check_mistake("match pci class\n", 1, "pci");
	check_mistake("match pci class 1\n", 1, "1");
	check_mistake("match pci class 01:02:03:04\n", 1, "01:02:03:04");
	check_mistake("match pci class 01:02:\n", 1, "01:02:");
}

TEST(mistakes_are_told_with_their_line_and_word)
{
	check_mistake("scheme\n", 1, "scheme");
	check_mistake("scheme x sometimes\n", 1, "sometimes");
	check_mistake("scheme a_name_that_is_too_long\n", 1, "a_name_that_is_too_long");
	check_mistake("handle x y\n", 1, "y");
	check_mistake("handle x @root\n", 1, "@root");
	check_mistake("handle x y:z maybe\n", 1, "maybe");
	check_mistake("\n\n\tpriority great\n", 3, "great");
	check_mistake("user root root\n", 1, "root");
	check_mistake("ready yes\n", 1, "yes");
	check_mistake("restart limit=99999999999\n", 1, "limit=99999999999");
	check_mistake("restart wait=5\n", 1, "wait=5");
	check_mistake("quota memory=lots\n", 1, "memory=lots");
	check_mistake("quota disks=1\n", 1, "disks=1");
	check_mistake("environment A=1 A\n", 1, "A");
	check_mistake("frobnicate\n", 1, "frobnicate");
	check_mistake("use a", 1, "");
	check_mistake("use \"a\n", 1, "use");
}

TEST(a_name_is_short_and_printable)
{
	CHECK_EQ(manifest_init(&m, "virtio-blk@0000:00:04.0"), OK);
	CHECK_EQ(manifest_init(&m, ""), ERR_INVAL);
	CHECK_EQ(manifest_init(&m, "a/b"), ERR_INVAL);
	CHECK_EQ(manifest_init(&m, "a\n"), ERR_INVAL);
	CHECK_EQ(manifest_init(&m, "a-name-that-is-as-long-as-one-may-be-yes"), ERR_INVAL);
	CHECK_EQ(manifest_init(&m, "a-name-that-is-as-long-as-one-may-be-ye"), OK);
}
