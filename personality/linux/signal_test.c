/* personality/linux/signal_test.c - the rules of signal actions and queues. */
#include "lib/test/test.h"
#include "personality/linux/signal.h"

static struct signal_state state;
static struct signal_queued slots[SIGNAL_QUEUE_MAX];
static struct signal_queue queue;

static void queue_empty(void)
{
	memset(slots, 0, sizeof(slots));
	queue = (struct signal_queue){ .slot = slots };
}

static struct linux_siginfo info_of(int32_t signal, uint64_t value)
{
	struct linux_siginfo info = { .signal = signal };
	info.sent.value = value;
	return info;
}

TEST(defaults_are_posix)
{
	signal_init(&state);
	CHECK_EQ(signal_effect(&state, LINUX_SIGTERM), SIGNAL_TERMINATE);
	CHECK_EQ(signal_effect(&state, LINUX_SIGSEGV), SIGNAL_CORE);
	CHECK_EQ(signal_effect(&state, LINUX_SIGCHLD), SIGNAL_IGNORE);
	CHECK_EQ(signal_effect(&state, LINUX_SIGTSTP), SIGNAL_STOP);
	CHECK_EQ(signal_effect(&state, LINUX_SIGCONT), SIGNAL_CONTINUE);
	CHECK_EQ(signal_effect(&state, LINUX_SIGNAL_MAX), SIGNAL_TERMINATE);
}

TEST(an_action_comes_back_when_it_is_replaced)
{
	struct linux_sigaction a = { .handler = 0x1000, .flags = LINUX_SA_SIGINFO, .mask = ~0ull }, old;
	signal_init(&state);
	CHECK_EQ(signal_set_action(&state, LINUX_SIGUSR1, &a, &old), OK);
	CHECK_EQ(old.handler, LINUX_SIG_DFL);
	CHECK_EQ(signal_effect(&state, LINUX_SIGUSR1), SIGNAL_HANDLE);
	CHECK_EQ(signal_set_action(&state, LINUX_SIGUSR1, NULL, &old), OK);
	CHECK_EQ(old.handler, 0x1000);
	CHECK_EQ(old.mask, ~SIGNAL_UNBLOCKABLE);
}

TEST(kill_and_stop_cannot_be_changed_and_numbers_are_checked)
{
	struct linux_sigaction a = { .handler = LINUX_SIG_IGN }, old;
	signal_init(&state);
	CHECK_EQ(signal_set_action(&state, LINUX_SIGKILL, &a, &old), ERR_INVAL);
	CHECK_EQ(signal_set_action(&state, LINUX_SIGSTOP, &a, &old), ERR_INVAL);
	CHECK_EQ(signal_set_action(&state, LINUX_SIGKILL, NULL, &old), OK);
	CHECK_EQ(signal_set_action(&state, 0, &a, &old), ERR_INVAL);
	CHECK_EQ(signal_set_action(&state, 65, &a, &old), ERR_INVAL);
	CHECK_EQ(signal_set_action(&state, UINT64_MAX, &a, &old), ERR_INVAL);
}

TEST(a_handler_masks_its_signal_unless_told_not_to)
{
	struct linux_sigaction a = { .handler = 0x1000, .mask = LINUX_SIGNAL_BIT(5) }, old;
	signal_init(&state);
	CHECK_EQ(signal_set_action(&state, 10, &a, &old), OK);
	CHECK_EQ(signal_handler_mask(&state, 10, LINUX_SIGNAL_BIT(3)), LINUX_SIGNAL_BIT(3) | LINUX_SIGNAL_BIT(5) | LINUX_SIGNAL_BIT(10));
	a.flags = LINUX_SA_NODEFER | LINUX_SA_RESETHAND;
	CHECK_EQ(signal_set_action(&state, 10, &a, &old), OK);
	CHECK_EQ(signal_handler_mask(&state, 10, 0), LINUX_SIGNAL_BIT(5));
	CHECK_EQ(signal_effect(&state, 10), SIGNAL_TERMINATE);
}

TEST(exec_keeps_only_what_is_ignored)
{
	struct linux_sigaction handled = { .handler = 0x1000 }, ignored = { .handler = LINUX_SIG_IGN }, old;
	signal_init(&state);
	CHECK_EQ(signal_set_action(&state, 10, &handled, &old), OK);
	CHECK_EQ(signal_set_action(&state, 12, &ignored, &old), OK);
	CHECK_EQ(signal_ignored(&state), LINUX_SIGNAL_BIT(12));
	signal_reset_for_exec(&state);
	CHECK_EQ(signal_effect(&state, 10), SIGNAL_TERMINATE);
	CHECK_EQ(signal_effect(&state, 12), SIGNAL_IGNORE);
}

TEST(standard_signals_are_queued_once_and_realtime_ones_in_order)
{
	struct linux_siginfo info;
	uint32_t more_tid;
	bool more;
	queue_empty();
	for (uint64_t i = 1; i <= 3; i++) {
		info = info_of(10, i);
		CHECK_EQ(signal_queue(&queue, 0, &info), OK);
		info = info_of(40, i);
		CHECK_EQ(signal_queue(&queue, 0, &info), OK);
	}
	CHECK(signal_unqueue(&queue, 7, 10, &info, &more, &more_tid));
	CHECK_EQ(info.sent.value, 1);
	CHECK(!more);
	CHECK(!signal_unqueue(&queue, 7, 10, &info, &more, &more_tid));
	for (uint64_t i = 1; i <= 3; i++) {
		CHECK(signal_unqueue(&queue, 7, 40, &info, &more, &more_tid));
		CHECK_EQ(info.sent.value, i);
		CHECK_EQ(more, i < 3);
	}
}

TEST(a_thread_gets_its_own_first_and_never_anothers)
{
	struct linux_siginfo info = info_of(40, 1);
	uint32_t more_tid;
	bool more;
	queue_empty();
	CHECK_EQ(signal_queue(&queue, 0, &info), OK);
	info = info_of(40, 2);
	CHECK_EQ(signal_queue(&queue, 7, &info), OK);
	info = info_of(40, 3);
	CHECK_EQ(signal_queue(&queue, 8, &info), OK);
	CHECK(signal_unqueue(&queue, 7, 40, &info, &more, &more_tid));
	CHECK_EQ(info.sent.value, 2);
	CHECK(more && more_tid == 0);
	CHECK(signal_unqueue(&queue, 7, 40, &info, &more, &more_tid));
	CHECK_EQ(info.sent.value, 1);
	CHECK(!more);
	CHECK(!signal_unqueue(&queue, 7, 40, &info, &more, &more_tid));
	signal_queue_clear_thread(&queue, 8);
	CHECK(!signal_unqueue(&queue, 8, 40, &info, &more, &more_tid));
}

TEST(a_full_queue_says_so_and_recovers)
{
	struct linux_siginfo info = info_of(40, 0);
	uint32_t more_tid;
	bool more;
	queue_empty();
	for (int i = 0; i < SIGNAL_QUEUE_MAX; i++)
		CHECK_EQ(signal_queue(&queue, 0, &info), OK);
	CHECK_EQ(signal_queue(&queue, 0, &info), ERR_AGAIN);
	CHECK(signal_unqueue(&queue, 0, 40, &info, &more, &more_tid));
	CHECK_EQ(signal_queue(&queue, 0, &info), OK);
}
