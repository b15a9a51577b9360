/* servers/init/match_test.c */
#include "lib/test/test.h"
#include "servers/init/match.h"

static struct manifest by_class, by_interface, by_device, other;
static struct manifest *all[] = { &by_class, &by_interface, &by_device, &other };

static void parse(struct manifest *m, const char *name, const char *from)
{
	static char text[4][256];
	static int next;
	char *copy = text[next++ % 4];
	struct words_error error;

	strcpy(copy, from);
	CHECK_EQ(manifest_parse(m, name, copy, strlen(copy), &error), OK);
}

static void set_up(void)
{
	parse(&by_class, "scsi", "match pci class 01:08\n");
	parse(&by_interface, "nvme", "match pci class 01:08:02\n");
	parse(&by_device, "special", "match pci 1234:0001\nmatch pci 1234:0002\n");
	parse(&other, "late", "match pci 1234:0002\n");
}

TEST(the_closest_match_drives_a_device)
{
	struct device_info d = { .class = 1, .subclass = 8, .interface = 2, .vendor = 0x1234, .device = 1 };

	set_up();
	CHECK(match_best(all, 4, &d) == &by_device);
	d.device = 3;
	CHECK(match_best(all, 4, &d) == &by_interface);
	d.interface = 1;
	CHECK(match_best(all, 4, &d) == &by_class);
	d.subclass = 1;
	CHECK(match_best(all, 4, &d) == NULL);
}

TEST(of_equal_matches_the_first_is_taken)
{
	struct device_info d = { .vendor = 0x1234, .device = 2 };

	set_up();
	CHECK(match_best(all, 4, &d) == &by_device);
	CHECK(match_best(all + 3, 1, &d) == &other);
	CHECK(match_best(all, 0, &d) == NULL);
}

TEST(an_instance_is_called_after_its_driver_and_address)
{
	char name[SERVICE_NAME_MAX + 1];

	CHECK_EQ(instance_name("virtio-blk", device_address(0, 0, 4 << 3), name), OK);
	CHECK_STR(name, "virtio-blk@0000:00:04.0");
	CHECK_EQ(instance_name("x", device_address(0xffff, 0xff, 0xff), name), OK);
	CHECK_STR(name, "x@ffff:ff:1f.7");
	CHECK_EQ(instance_name("a-name-that-is-as-long-as-it-can-be-x", 0, name), ERR_INVAL);
	CHECK(device_address(0, 1, 0) > device_address(0, 0, 0xff) && device_address(1, 0, 0) > device_address(0, 0xff, 0xff));
}
