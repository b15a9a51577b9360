/* drivers/iommud/domain.c - tables of domains and mappings. */
#include "drivers/iommud/domain.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

#define DOMAINS_MAGIC 0x31646d6d6f69ull

void domains_init(struct domains *s)
{
	memset(s, 0, sizeof *s);
	s->magic = DOMAINS_MAGIC;
	s->bytes = sizeof *s;
}

bool domains_are_sane(const struct domains *s) { return s->magic == DOMAINS_MAGIC && s->bytes == sizeof *s; }

uint32_t domain_find(const struct domains *s, struct pci_address function)
{
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		if (s->domain[i].is_used && s->domain[i].is_attached && pci_address_is(s->domain[i].function, function))
			return i;
	return DOMAIN_NONE;
}

err_t domain_create(struct domains *s, struct pci_address function, uint32_t *out)
{
	uint32_t n = 0, old = domain_find(s, function);

	while (n < DOMAINS_MAX && s->domain[n].is_used)
		n++;
	if (n == DOMAINS_MAX)
		return ERR_NFILE;
	if (old != DOMAIN_NONE)
		s->domain[old].is_attached = false;
	s->domain[n] = (struct domain){ .is_used = true, .is_attached = true, .function = function };
	*out = n;
	return OK;
}

/* The end of a mapping that meets [at, at + bytes); 0: none does. */
static uint64_t end_of_other(const struct domains *s, uint32_t domain, uint64_t at, uint64_t bytes)
{
	for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
		const struct mapping *m = &s->mapping[i];

		if (m->domain_plus_1 == domain + 1 && m->address < at + bytes && m->address + m->bytes > at)
			return m->address + m->bytes;
	}
	return 0;
}

err_t domain_place(struct domains *s, uint32_t domain, uint64_t start, uint64_t end, uint64_t bytes, uint64_t *out)
{
	struct domain *d = &s->domain[domain];
	uint64_t at = d->next >= start && d->next < end ? d->next : start, first = at, other;
	bool is_second = false;

	for (;;) {
		if (!range_fits(at - start, bytes, end - start)) {
			if (is_second)
				return ERR_NOSPC;
			is_second = true;
			at = start;
		} else if ((other = end_of_other(s, domain, at, bytes))) {
			at = other;
		} else {
			break;
		}
		if (is_second && at > first)
			return ERR_NOSPC;
	}
	*out = at;
	d->next = at + bytes;
	return OK;
}

err_t mapping_create(struct domains *s, uint32_t domain, uint64_t bytes, uint32_t access, uint32_t *out)
{
	for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
		if (s->mapping[i].domain_plus_1)
			continue;
		s->mapping[i] = (struct mapping){ .domain_plus_1 = domain + 1, .access = access, .bytes = bytes, .address = UINT64_MAX - bytes };
		*out = i;
		return OK;
	}
	return ERR_NOSPC;
}

uint32_t mapping_find(const struct domains *s, uint32_t domain, uint64_t address)
{
	uint32_t i = 0;

	while (i < MAPPINGS_MAX && (s->mapping[i].domain_plus_1 != domain + 1 || s->mapping[i].address != address))
		i++;
	return i;
}

uint32_t domain_interrupt(struct domains *s, uint32_t domain, uint32_t number)
{
	uint32_t free = INTERRUPTS_MAX;

	for (uint32_t i = 0; i < INTERRUPTS_MAX; i++) {
		struct interrupt_entry *e = &s->interrupt[i];

		if (e->domain_plus_1 == domain + 1 && e->number == number)
			return i;
		if (!e->domain_plus_1 && free == INTERRUPTS_MAX)
			free = i;
	}
	if (free < INTERRUPTS_MAX)
		s->interrupt[free] = (struct interrupt_entry){ .domain_plus_1 = domain + 1, .number = number };
	return free;
}

void domain_fault(struct domain *d, uint64_t address, uint32_t access)
{
	struct dma_fault *last = &d->fault[(d->fault_count - 1) % DOMAIN_FAULTS_MAX];

	d->fault_total++;
	if (d->fault_count && last->address == address && last->access == access && last->count < UINT32_MAX) {
		last->count++;
		return;
	}
	d->fault[d->fault_count++ % DOMAIN_FAULTS_MAX] = (struct dma_fault){ .address = address, .access = access, .count = 1 };
}

uint32_t domain_take_faults(const struct domain *d, uint32_t *seen, struct dma_fault *out, uint32_t max)
{
	uint32_t count = 0;

	if (d->fault_count - *seen > DOMAIN_FAULTS_MAX)
		*seen = d->fault_count - DOMAIN_FAULTS_MAX;
	while (*seen != d->fault_count && count < max)
		out[count++] = d->fault[(*seen)++ % DOMAIN_FAULTS_MAX];
	return count;
}
