/* drivers/net/virtio_net/vnet_test.c - the driver against a mock card: honest, failing, lying, dumb, gone. */
#include "drivers/net/virtio_net/vnet.h"
#include "lib/virtio/test_device.h"

enum { HEADER = 12, ALL_OUT = (1 << 0) | (1 << 11) | (1 << 12), ALL_IN = (1 << 1) | (1 << 7) | (1 << 8) | (1 << 15), LOG = 600 };
#define ADDRESS    (1ull << 5)
#define STATUS     (1ull << 16)
#define CONTROL    (1ull << 17 | 1ull << 18)
#define MANY       (1ull << 22)
#define USUAL      (ADDRESS | STATUS | CONTROL | VIRTIO_EVENT_INDEX)

static struct vnet *vnet;
static struct device device = { .info = { .interrupts = 5, .slot = 3 } };
static struct dma_memory buffers;

/* How the device behaves. */
static struct { bool is_silent, refuses_control, forgets_order; uint32_t wrong_head, lies_bytes; } manner;
static uint8_t wire[LOG][2048];
static uint32_t wire_bytes[LOG], sent_count;
static struct vnet_header header[LOG];
static struct { uint8_t class, command, argument[512]; uint32_t bytes; } commands[32];
static uint32_t command_count;

/* What lib/net is told. */
static uint32_t done[LOG], done_count, resets, gones, fails, interrupts[ETHERNET_QUEUES_MAX];
static struct { uint32_t at, bytes; struct ethernet_entry how; } came[LOG];
static uint32_t came_count;
static bool is_up;

void net_sent(uint32_t queue, uint32_t slot) { (void)queue; CHECK(done_count < LOG); done[done_count++] = slot; }
void net_received(uint32_t queue, uint32_t at, uint32_t bytes, const struct ethernet_entry *how)
{
	(void)queue;
	CHECK(came_count < LOG && at >= NET_HEADROOM - HEADER && at + bytes <= ETHERNET_BUFFER_BYTES);
	came[came_count].at = at;
	came[came_count].bytes = bytes;
	came[came_count++].how = *how;
}
void net_link(bool up, uint32_t speed_mbps) { (void)speed_mbps; is_up = up; }
void net_interrupt(uint32_t queue) { interrupts[queue]++; }
void net_gone(void) { gones++; }
void net_sleep(uint64_t ns) { (void)ns; }
void driver_fail(const char *why) { (void)why; fails++; }
void net_reset(const char *why)
{
	(void)why;
	resets++;
	vnet->card.ops->stop(vnet);
	(void)!vnet->card.ops->start(vnet, 1);
}

/* ---- The card ---- */

static void take_frame(struct mock_queue *q, uint16_t head, struct mock_piece *piece, uint32_t count)
{
	CHECK(sent_count < LOG && count >= 2 && piece[0].bytes == HEADER);
	memcpy(&header[sent_count], piece[0].at, HEADER);
	wire_bytes[sent_count] = 0;
	for (uint32_t i = 1; i < count; i++) {
		CHECK(!piece[i].is_writable);
		if (wire_bytes[sent_count] + piece[i].bytes <= sizeof(wire[0]))
			memcpy(wire[sent_count] + wire_bytes[sent_count], piece[i].at, piece[i].bytes);
		wire_bytes[sent_count] += piece[i].bytes;
	}
	sent_count++;
	mock_use_raw(q, manner.wrong_head ? manner.wrong_head : head, 0);
}

static void take_command(struct mock_queue *q, uint16_t head, struct mock_piece *piece, uint32_t count)
{
	CHECK(count == 3 && piece[0].bytes == 2 && piece[2].bytes == 1 && piece[2].is_writable && piece[1].bytes <= 512 && command_count < 32);
	commands[command_count].class = piece[0].at[0];
	commands[command_count].command = piece[0].at[1];
	commands[command_count].bytes = piece[1].bytes;
	memcpy(commands[command_count++].argument, piece[1].at, piece[1].bytes);
	*piece[2].at = manner.refuses_control;
	mock_use_raw(q, head, 1);
}

static void mock_process(uint32_t index)
{
	struct mock_piece piece[32];
	struct mock_queue *q = &mock.queue[index];
	uint32_t count;
	uint16_t head;

	if (manner.is_silent || (index % 2 == 0 && index != 2u * vnet->pairs_max))
		return;
	while (mock_next(q, &head, piece, 32, &count))
		if (index == 2u * vnet->pairs_max)
			take_command(q, head, piece, count);
		else
			take_frame(q, head, piece, count);
}

/* A frame arrives, over so many buffers. */
static void arrive(uint32_t pair, struct vnet_header h, const uint8_t *from, uint32_t bytes, uint32_t over)
{
	struct mock_queue *q = &mock.queue[2 * pair];
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head, first = 0;

	for (uint32_t i = 0; i < over; i++) {
		CHECK(mock_next(q, &head, piece, 4, &count));
		CHECK(count == 1 && piece[0].is_writable);
		uint32_t part = i + 1 < over ? bytes / over : bytes - bytes / over * (over - 1), skip = i == 0 ? HEADER : 0;
		CHECK(part + skip <= piece[0].bytes);
		h.buffers = (uint16_t)over;
		memcpy(piece[0].at, &h, skip);
		memcpy(piece[0].at + skip, from + i * (bytes / over), part);
		if (manner.forgets_order && i == 0 && over > 1) {
			first = head;
			continue;
		}
		mock_use_raw(q, manner.wrong_head ? manner.wrong_head : head, manner.lies_bytes ? manner.lies_bytes : part + skip);
	}
	if (manner.forgets_order)
		mock_use_raw(q, first, bytes);
}

/* ---- The driver's side ---- */

static void put(uint32_t at, uint64_t value, size_t bytes) { memcpy(mock.device + at, &value, bytes); }

static void setup_device(uint64_t features, uint16_t queues)
{
	mock_setup(features, queues, 256);
	memset(&manner, 0, sizeof(manner));
	put(0, 0x060504030252, 6);
	put(6, 1, 2);
	put(8, queues / 2, 2);
	put(10, 1500, 2);
	sent_count = done_count = resets = gones = fails = came_count = command_count = 0;
	memset(interrupts, 0, sizeof(interrupts));
	free(vnet);
	vnet = calloc(1, sizeof(*vnet));
}

static void setup(uint64_t features, uint16_t queues, uint32_t takes)
{
	setup_device(features, queues);
	CHECK_EQ(vnet_open(vnet, &device), OK);
	CHECK_EQ(dma_allocate(&device, 300 * ETHERNET_BUFFER_BYTES, 0, 0, &buffers), OK);
	vnet->card.offloads = takes;
	CHECK_EQ(vnet->card.ops->start(vnet, queues / 2), OK);
}

__attribute__((destructor)) static void forget(void) { free(vnet); }

static struct net_frame frame_of(uint32_t slot, uint32_t bytes, uint32_t pieces)
{
	struct net_frame f = { .slot = slot, .bytes = bytes, .count = pieces };
	size_t at = slot % 256 * ETHERNET_BUFFER_BYTES;

	for (uint32_t i = 0; i < pieces; i++, at += bytes / pieces)
		f.piece[i] = (struct net_piece){ dma_address(&buffers, at, NULL), buffers.at + at, i + 1 < pieces ? bytes / pieces : bytes - bytes / pieces * (pieces - 1) };
	return f;
}

static err_t send(uint32_t queue, const struct net_frame *f) { return vnet->card.ops->send(vnet, queue, f); }
static void kick(uint32_t queue) { vnet->card.ops->kick(vnet, queue); }
static void poll(uint32_t queue) { vnet->card.ops->poll(vnet, queue); }
static bool give(uint32_t queue, uint32_t n)
{
	size_t at = n * ETHERNET_BUFFER_BYTES;

	return vnet->card.ops->give(vnet, queue, dma_address(&buffers, at, NULL), buffers.at + at);
}

/* ---- Rules ---- */

TEST(frames_are_sent_as_they_are)
{
	setup(USUAL, 3, 0);
	for (uint32_t n = 0; n < 500; n++) {
		struct net_frame f = frame_of(n, 60 + n, 1 + n % 3);
		for (uint32_t i = 0; i < f.bytes; i++)
			buffers.at[n % 256 * ETHERNET_BUFFER_BYTES + i] = (uint8_t)test_random();
		CHECK_EQ(send(0, &f), OK);
		kick(0);
		CHECK_EQ(wire_bytes[n], f.bytes);
		CHECK_MEM(wire[n], buffers.at + n % 256 * ETHERNET_BUFFER_BYTES, f.bytes);
		CHECK_EQ(header[n].flags | header[n].segment_type, 0);
		poll(0);
		CHECK_EQ(done_count, n + 1);
		CHECK_EQ(done[n], n);
	}
	CHECK_EQ(resets, 0);
}

TEST(a_full_queue_says_so_and_goes_on)
{
	setup(USUAL, 3, 0);
	manner.is_silent = true;
	struct net_frame f = frame_of(0, 100, 1);
	uint32_t n = 0;
	while (send(0, &f) == OK)
		f.slot = ++n;
	CHECK_EQ(n, 128);
	CHECK_EQ(send(0, &f), ERR_AGAIN);
	kick(0);
	poll(0);
	CHECK_EQ(done_count, 0);
	manner.is_silent = false;
	mock_process(1);
	poll(0);
	CHECK_EQ(done_count, 128);
	CHECK_EQ(send(0, &f), OK);
}

TEST(wishes_go_into_the_header)
{
	setup(USUAL | ALL_OUT, 3, 0);
	CHECK_EQ(vnet->card.info.offloads, ETHERNET_CAN_CHECKSUM | ETHERNET_CAN_SEGMENT_TCP4 | ETHERNET_CAN_SEGMENT_TCP6);
	struct net_frame f = frame_of(1, 1000, 2);
	f.first = (struct ethernet_entry){
		.entry_flags = ETHERNET_CHECKSUM | ETHERNET_SEGMENT_TCP4, .checksum_start = 34, .checksum_offset = 16, .segment_bytes = 536, .header_bytes = 54,
	};
	CHECK_EQ(send(0, &f), OK);
	f.first.entry_flags = ETHERNET_CHECKSUM | ETHERNET_SEGMENT_TCP6 | ETHERNET_MORE;
	CHECK_EQ(send(0, &f), OK);
	f.first.entry_flags = ETHERNET_MORE;
	CHECK_EQ(send(0, &f), OK);
	kick(0);
	CHECK_EQ(header[0].flags, 1);
	CHECK_EQ(header[0].segment_type, 1);
	CHECK_EQ(header[0].segment_bytes, 536);
	CHECK_EQ(header[0].header_bytes, 54);
	CHECK_EQ(header[0].checksum_start, 34);
	CHECK_EQ(header[0].checksum_offset, 16);
	CHECK_EQ(header[1].segment_type, 4);
	CHECK_EQ(header[2].flags | header[2].segment_type | header[2].checksum_start, 0);
}

TEST(frames_are_received_where_they_were_put)
{
	uint8_t bytes[1514];

	setup(USUAL, 3, 0);
	for (uint32_t n = 0; n < 256; n++)
		CHECK(give(0, n));
	CHECK(!give(0, 256));
	kick(0);
	for (uint32_t n = 0; n < 300; n++) {
		for (uint32_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)test_random();
		arrive(0, (struct vnet_header){ .flags = 0xff, .segment_type = 1 }, bytes, 60 + n, 1);
		poll(0);
		CHECK_EQ(came_count, n + 1);
		CHECK_EQ(came[n].at, NET_HEADROOM);
		CHECK_EQ(came[n].bytes, 60 + n);
		CHECK_EQ(came[n].how.entry_flags, 0);   /* that was not agreed on */
		CHECK_MEM(buffers.at + n % 256 * ETHERNET_BUFFER_BYTES + NET_HEADROOM, bytes, 60 + n);
		CHECK(give(0, n % 256));
		kick(0);
	}
}

TEST(what_a_header_says_is_told)
{
	uint8_t bytes[3000] = { 0 };

	setup(USUAL | ALL_IN, 3, ETHERNET_CAN_TAKE_CHECKSUM | ETHERNET_CAN_TAKE_SEGMENTS);
	CHECK(vnet->card.info.offloads & ETHERNET_CAN_TAKE_SEGMENTS);
	for (uint32_t n = 0; n < 8; n++)
		CHECK(give(0, n));
	kick(0);
	arrive(0, (struct vnet_header){ .flags = 2 }, bytes, 100, 1);
	arrive(0, (struct vnet_header){ .flags = 1, .checksum_start = 34, .checksum_offset = 6 }, bytes, 100, 1);
	arrive(0, (struct vnet_header){ .flags = 1, .segment_type = 0x81, .segment_bytes = 1000, .header_bytes = 54 }, bytes, 3000, 3);
	arrive(0, (struct vnet_header){ 0 }, bytes, 60, 1);
	poll(0);
	CHECK_EQ(came_count, 6);
	CHECK_EQ(came[0].how.entry_flags, ETHERNET_CHECKED);
	CHECK_EQ(came[1].how.entry_flags, ETHERNET_CHECKSUM);
	CHECK_EQ(came[1].how.checksum_start, 34);
	CHECK_EQ(came[2].how.entry_flags, ETHERNET_CHECKSUM | ETHERNET_SEGMENT_TCP4 | ETHERNET_MORE);
	CHECK_EQ(came[2].how.segment_bytes, 1000);
	CHECK_EQ(came[2].bytes, 1000);
	CHECK_EQ(came[3].how.entry_flags, ETHERNET_MORE);
	CHECK_EQ(came[3].at, NET_HEADROOM - HEADER);
	CHECK_EQ(came[3].bytes, 1000);
	CHECK_EQ(came[4].how.entry_flags, 0);
	CHECK_EQ(came[5].how.entry_flags, 0);
	CHECK_EQ(came[5].bytes, 60);
}

TEST(offloads_nobody_wants_are_not_agreed_on)
{
	setup(USUAL | ALL_IN | ALL_OUT, 3, 0);
	CHECK_EQ(mock.taken & ALL_IN, 0);
	CHECK_EQ(mock.taken & ALL_OUT, ALL_OUT);
	setup(USUAL | ALL_IN, 3, ETHERNET_CAN_TAKE_CHECKSUM);
	CHECK_EQ(mock.taken & ALL_IN, 1 << 1);
}

TEST(more_queues_are_switched_on_when_they_are_used)
{
	setup(USUAL | MANY, 7, 0);
	CHECK_EQ(vnet->card.info.queues, 3);
	CHECK_EQ(vnet->vectors, 4);
	CHECK_EQ(commands[0].class, 4);
	CHECK_EQ(commands[0].argument[0], 3);
	for (uint32_t q = 0; q < 3; q++) {
		struct net_frame f = frame_of(q, 100, 1);
		CHECK_EQ(send(q, &f), OK);
		kick(q);
		vnet_interrupt(vnet, q);
		CHECK_EQ(interrupts[q], 1);
	}
	CHECK_EQ(sent_count, 3);
	vnet->card.ops->stop(vnet);
	command_count = 0;
	CHECK_EQ(vnet->card.ops->start(vnet, 1), OK);
	CHECK_EQ(commands[0].argument[0], 1);
}

TEST(a_filter_is_three_commands)
{
	setup(USUAL, 3, 0);
	command_count = 0;
	vnet->card.filter = (struct ethernet_filter){ .filter_flags = ETHERNET_PROMISCUOUS, .count = 2, .group = { { 1, 2 }, { 3, 4 } } };
	vnet->card.ops->filter(vnet);
	CHECK_EQ(command_count, 3);
	CHECK_EQ(commands[0].argument[0], 1);
	CHECK_EQ(commands[1].bytes, 8 + 12);
	CHECK_EQ(commands[1].argument[4], 2);
	CHECK_EQ(commands[1].argument[14], 3);
	CHECK_EQ(commands[2].argument[0], 0);
	/* A device that cannot take the table lets all groups through. */
	manner.refuses_control = true;
	vnet->card.ops->filter(vnet);
	CHECK_EQ(commands[5].argument[0], 1);
}

TEST(a_device_that_lies_is_reset)
{
	uint8_t bytes[100] = { 0 };

	for (uint32_t way = 0; way < 3; way++) {
		setup(USUAL, 3, 0);
		for (uint32_t n = 0; n < 8; n++)
			CHECK(give(0, n));
		struct net_frame f = frame_of(0, 100, 1);
		CHECK_EQ(send(0, &f), OK);
		manner.wrong_head = way == 2 ? 0 : 77;
		manner.forgets_order = way == 2;
		if (way == 0)
			kick(0);
		else
			vnet->card.ops->kick(vnet, 0);
		if (way > 0)
			arrive(0, (struct vnet_header){ 0 }, bytes, 100, way == 2 ? 2 : 1);
		poll(0);
		CHECK_EQ(resets, 1);
		manner.wrong_head = 0;
		manner.forgets_order = false;
		CHECK_EQ(send(0, &f), OK);
		kick(0);
		poll(0);
		CHECK_EQ(resets, 1);
	}
}

TEST(lengths_that_a_device_makes_up_stay_in_the_buffer)
{
	static const uint32_t lies[] = { 1, 11, 12, 13, 1996, 1997, 5000, UINT32_MAX };
	uint8_t bytes[60] = { 0 };

	for (uint32_t i = 0; i < 8; i++) {
		setup(USUAL | ALL_IN, 3, ETHERNET_CAN_TAKE_SEGMENTS);
		CHECK(give(0, 0));
		kick(0);
		manner.lies_bytes = lies[i];
		arrive(0, (struct vnet_header){ 0 }, bytes, sizeof(bytes), 1);
		poll(0);
		CHECK_EQ(came_count, 1);
		CHECK_EQ(came[0].bytes, lies[i] <= HEADER ? 0 : MIN_OF(lies[i] - HEADER, (uint32_t)NET_ROOM));
	}
}

TEST(a_number_of_buffers_that_never_come_harms_nobody)
{
	uint8_t bytes[60] = { 0 };
	struct vnet_header h = { 0 };
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head;

	setup(USUAL | ALL_IN, 3, ETHERNET_CAN_TAKE_SEGMENTS);
	CHECK(give(0, 0) && give(0, 1));
	kick(0);
	CHECK(mock_next(&mock.queue[0], &head, piece, 4, &count));
	h.buffers = 65535;
	memcpy(piece[0].at, &h, HEADER);
	mock_use_raw(&mock.queue[0], head, 72);
	poll(0);
	CHECK_EQ(came[0].how.entry_flags, ETHERNET_MORE);
	arrive(0, (struct vnet_header){ 0 }, bytes, 60, 1);
	poll(0);
	CHECK_EQ(came_count, 2);
	vnet->card.ops->stop(vnet);
	CHECK_EQ(vnet->card.ops->start(vnet, 1), OK);
	CHECK_EQ(vnet->pair[0].more, 0);
}

TEST(the_link_and_the_end_are_told)
{
	setup(USUAL, 3, 0);
	CHECK(is_up);
	CHECK_EQ(vnet->vectors, 2);
	put(6, 0, 2);
	vnet_interrupt(vnet, 0);
	CHECK(is_up);
	vnet_interrupt(vnet, 1);
	CHECK(!is_up);
	mock.status |= STATUS_NEEDS_RESET;
	vnet_interrupt(vnet, 1);
	CHECK_EQ(resets, 1);
	mock.is_gone = true;
	vnet_interrupt(vnet, 1);
	vnet_interrupt(vnet, 1);
	CHECK_EQ(gones, 1);
	poll(0);
	CHECK(vnet->card.ops->arm(vnet, 0, true));
}

TEST(a_device_that_does_not_answer_commands_is_not_asked_for_ever)
{
	setup_device(USUAL, 3);
	CHECK_EQ(vnet_open(vnet, &device), OK);
	manner.is_silent = true;
	CHECK_EQ(vnet->card.ops->start(vnet, 1), OK);
	CHECK(!vnet->has_control);
	setup_device(USUAL | MANY, 7);
	CHECK_EQ(vnet_open(vnet, &device), OK);
	manner.is_silent = true;
	CHECK_EQ(vnet->card.ops->start(vnet, 3), ERR_TIMEDOUT);
}

TEST(a_device_that_does_not_stop_ends_the_driver)
{
	setup(USUAL, 3, 0);
	mock.never_resets = true;
	vnet->card.ops->stop(vnet);
	CHECK_EQ(fails, 1);
}

TEST(the_card_is_described)
{
	setup_device(USUAL, 3);
	CHECK_EQ(vnet_open(vnet, &device), OK);
	CHECK_EQ(vnet->card.info.address[0], 0x52);
	CHECK_EQ(vnet->card.info.address[5], 0x06);
	CHECK_EQ(vnet->card.info.queues, 1);
	CHECK(vnet->card.info.is_up);
	setup_device(0, 2);
	CHECK_EQ(vnet_open(vnet, &device), OK);
	CHECK_EQ(vnet->card.info.address[0], 2);
	CHECK_EQ(vnet->card.info.address[4], 3);
	CHECK_EQ(vnet->card.info.mtu, 1500);
}

TEST(any_configuration_is_survived)
{
	for (uint32_t round = 0; round < 500; round++) {
		setup_device(test_random() & test_random(), (uint16_t)(test_random() % 12));
		for (uint32_t i = 0; i < MOCK_DEVICE_BYTES; i++)
			mock.device[i] = (uint8_t)test_random();
		mock.refuses_vectors = round % 16 == 0;
		if (vnet_open(vnet, &device))
			continue;
		CHECK(vnet->card.info.queues >= 1 && vnet->card.info.queues <= ETHERNET_QUEUES_MAX && vnet->card.info.mtu <= ETHERNET_MTU);
		if (vnet->card.ops->start(vnet, 1) == OK)
			vnet_interrupt(vnet, 0);
	}
}

TEST(no_memory_is_an_error)
{
	for (uint32_t n = 1; n <= 4; n++) {
		setup_device(USUAL, 3);
		test_dma.fail_after = n;
		err_t err = vnet_open(vnet, &device);
		CHECK_EQ(err ? err : vnet->card.ops->start(vnet, 1), ERR_NOMEM);
	}
}
