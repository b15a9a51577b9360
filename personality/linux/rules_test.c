/* personality/linux/rules_test.c - small tables: mapping flags, clone flags, exceptions, timers, futex arithmetic, status, times. */
#include "abi/error.h"
#include "abi/types.h"
#include "lib/test/test.h"
#include "personality/linux/clone.h"
#include "personality/linux/exception.h"
#include "personality/linux/futex.h"
#include "personality/linux/mmapflags.h"
#include "personality/linux/timeconvert.h"
#include "personality/linux/timer.h"
#include "personality/linux/wait.h"

TEST(mapping_flags_are_translated)
{
	uint32_t flags;
	CHECK_EQ(mmap_flags(LINUX_PROT_READ | LINUX_PROT_WRITE, LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS, &flags), 0);
	CHECK_EQ(flags, MAP_READ | MAP_WRITE);
	CHECK_EQ(mmap_flags(LINUX_PROT_WRITE, LINUX_MAP_SHARED | LINUX_MAP_FIXED, &flags), 0);
	CHECK_EQ(flags, MAP_READ | MAP_WRITE | MAP_SHARED | MAP_FIXED);
	CHECK_EQ(mmap_flags(0, LINUX_MAP_PRIVATE | LINUX_MAP_FIXED_NOREPLACE | LINUX_MAP_NORESERVE, &flags), 0);
	CHECK_EQ(flags, MAP_NOREPLACE);
}

TEST(mapping_flags_that_make_no_sense_are_refused)
{
	uint32_t flags;
	CHECK_EQ(mmap_flags(LINUX_PROT_READ, LINUX_MAP_ANONYMOUS, &flags), ERR_INVAL);
	CHECK_EQ(mmap_flags(0x80, LINUX_MAP_PRIVATE, &flags), ERR_INVAL);
	CHECK_EQ(mmap_flags(0, LINUX_MAP_SHARED_VALIDATE | LINUX_MAP_SYNC, &flags), ERR_OPNOTSUPP);
	CHECK_EQ(mmap_flags(0, LINUX_MAP_PRIVATE | LINUX_MAP_HUGETLB, &flags), ERR_NOMEM);
}

static int64_t clone_flags(uint64_t flags)
{
	struct linux_clone_args args = { .flags = flags };
	return clone_check(&args);
}

TEST(clone_flags_go_together_or_not)
{
	uint64_t thread = LINUX_CLONE_THREAD | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM | LINUX_CLONE_FS | LINUX_CLONE_FILES;
	CHECK_EQ(clone_flags(0), 0);
	CHECK_EQ(clone_flags(thread | LINUX_CLONE_SETTLS), 0);
	CHECK_EQ(clone_flags(LINUX_CLONE_VM | LINUX_CLONE_VFORK), 0);
	CHECK_EQ(clone_flags(LINUX_CLONE_THREAD), ERR_INVAL);
	CHECK_EQ(clone_flags(LINUX_CLONE_SIGHAND), ERR_INVAL);
	CHECK_EQ(clone_flags(LINUX_CLONE_NEWNS), ERR_PERM);
	CHECK_EQ(clone_flags(LINUX_CLONE_PIDFD), ERR_INVAL);
}

static struct linux_siginfo exception(uint64_t vector, err_t error)
{
	struct upcall_frame e = { .vector = vector, .address = 0x1234, .error = (uint64_t)-(int64_t)error, .regs.rip = 0x5678 };
	struct linux_siginfo info;
	exception_info(&e, LINUX_FPE_FLTINV, &info);
	return info;
}

TEST(exceptions_become_the_signals_that_linux_sends)
{
	struct linux_siginfo i = exception(VECTOR_PAGE, ERR_FAULT);
	CHECK(i.signal == LINUX_SIGSEGV && i.code == LINUX_SEGV_MAPERR && i.fault.address == 0x1234);
	i = exception(VECTOR_PAGE, ERR_ACCES);
	CHECK(i.signal == LINUX_SIGSEGV && i.code == LINUX_SEGV_ACCERR);
	i = exception(VECTOR_PAGE, ERR_RANGE);
	CHECK(i.signal == LINUX_SIGBUS && i.code == LINUX_BUS_ADRERR);
	i = exception(VECTOR_DIVIDE, OK);
	CHECK(i.signal == LINUX_SIGFPE && i.code == LINUX_FPE_INTDIV && i.fault.address == 0x5678);
	i = exception(VECTOR_OPCODE, OK);
	CHECK(i.signal == LINUX_SIGILL && i.code == LINUX_ILL_ILLOPN);
	i = exception(VECTOR_PROTECTION, OK);
	CHECK(i.signal == LINUX_SIGSEGV && i.code == LINUX_SI_KERNEL && i.fault.address == 0);
	i = exception(VECTOR_BREAKPOINT, OK);
	CHECK(i.signal == LINUX_SIGTRAP && i.code == LINUX_SI_KERNEL);
	i = exception(VECTOR_SIMD, OK);
	CHECK(i.signal == LINUX_SIGFPE && i.code == LINUX_FPE_FLTINV);
	i = exception(77, OK);
	CHECK_EQ(i.signal, LINUX_SIGSEGV);
	CHECK_EQ(exception_float_code(4), LINUX_FPE_FLTDIV);
	CHECK_EQ(exception_float_code(32), LINUX_FPE_FLTRES);
}

TEST(a_timer_says_what_is_left_and_counts_periods)
{
	struct timer t = { .due_ns = 100, .period_ns = 10 };
	CHECK_EQ(timer_left(&t, 30), 70);
	CHECK_EQ(timer_left(&t, 200), 1);
	CHECK_EQ(timer_advance(&t, 99), 0);
	CHECK_EQ(timer_advance(&t, 100), 1);
	CHECK_EQ(t.due_ns, 110);
	CHECK_EQ(timer_advance(&t, 135), 3);
	CHECK_EQ(t.due_ns, 140);
	t.period_ns = 0;
	CHECK_EQ(timer_advance(&t, 500), 1);
	CHECK_EQ(t.due_ns, 0);
	CHECK_EQ(timer_left(&t, 500), 0);
	CHECK_EQ(timer_advance(&t, 600), 0);
}

TEST(futex_arithmetic)
{
	CHECK_EQ(futex_operate(WAKE_OP_SET, 5, -1), UINT32_MAX);
	CHECK_EQ(futex_operate(WAKE_OP_ADD, UINT32_MAX, 2), 1);
	CHECK_EQ(futex_operate(WAKE_OP_OR, 4, 1), 5);
	CHECK_EQ(futex_operate(WAKE_OP_ANDN, 7, 2), 5);
	CHECK_EQ(futex_operate(WAKE_OP_XOR, 7, 2), 5);
	CHECK(futex_compare(0, 5, 5) && !futex_compare(1, 5, 5));
	CHECK(futex_compare(2, UINT32_MAX, 0) && futex_compare(4, 1, 0));
	CHECK(futex_compare(3, 5, 5) && futex_compare(5, 5, 5));
}

TEST(a_status_says_how_a_child_ended)
{
	struct linux_siginfo i;
	wait_info(&i, 9, 1000, 7 << 8);
	CHECK(i.signal == LINUX_SIGCHLD && i.code == LINUX_CLD_EXITED && i.child.status == 7 && i.child.pid == 9 && i.child.uid == 1000);
	wait_info(&i, 9, 0, 9);
	CHECK(i.code == LINUX_CLD_KILLED && i.child.status == 9);
	wait_info(&i, 9, 0, 11 | 0x80);
	CHECK(i.code == LINUX_CLD_DUMPED && i.child.status == 11);
	wait_info(&i, 9, 0, 0x7f | 20 << 8);
	CHECK(i.code == LINUX_CLD_STOPPED && i.child.status == 20);
	wait_info(&i, 9, 0, 0xffff);
	CHECK(i.code == LINUX_CLD_CONTINUED);
}

TEST(times_are_converted_and_checked)
{
	uint64_t ns;
	CHECK_EQ(timespec_to_ns(&(struct linux_timespec){ 2, 5 }, &ns), 0);
	CHECK_EQ(ns, 2000000005);
	CHECK_EQ(timespec_to_ns(&(struct linux_timespec){ INT64_MAX, 0 }, &ns), 0);
	CHECK_EQ(ns, DEADLINE_NONE - 1);
	CHECK_EQ(timespec_to_ns(&(struct linux_timespec){ -1, 0 }, &ns), ERR_INVAL);
	CHECK_EQ(timespec_to_ns(&(struct linux_timespec){ 0, 1000000000 }, &ns), ERR_INVAL);
	CHECK_EQ(timeval_to_ns(&(struct linux_timeval){ 1, 2 }, &ns), 0);
	CHECK_EQ(ns, 1000002000);
	CHECK_EQ(timeval_to_ns(&(struct linux_timeval){ 0, -1 }, &ns), ERR_INVAL);
	CHECK_EQ(timeval_to_ns(&(struct linux_timeval){ 0, 1000000 }, &ns), ERR_INVAL);
	CHECK_EQ(timespec_from_ns(3000000007).nanoseconds, 7);
	CHECK_EQ(timeval_from_ns(3000007000).microseconds, 7);
}
