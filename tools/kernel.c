// SPDX-License-Identifier: GPL-2.0
/* The kernel's devices, by netlink. (layer 4) */
#include "kernel.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "nl.h"

#define KERNEL_TRIES	16

int name_list_add(struct name_list *list, const char *name)
{
	char **names, *copy;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (!strcmp(list->names[i], name))
			return 0;
	}
	copy = strdup(name);
	names = realloc(list->names, (list->count + 1) * sizeof(*names));
	if (names)
		list->names = names;
	if (!names || !copy) {
		free(copy);
		return -ENOMEM;
	}
	list->names[list->count++] = copy;
	return 0;
}

void name_list_free(struct name_list *list)
{
	while (list->count)
		free(list->names[--list->count]);
	free(list->names);
	list->names = NULL;
}

static bool kernel_is_wireguard(const struct nlattr *linkinfo)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, linkinfo) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
		    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			return !strcmp(mnl_attr_get_str(attr), WG_LINK_KIND);
	}
	return false;
}

static int kernel_take_link(const struct nlmsghdr *nlh, void *data)
{
	const char *name = NULL;
	const struct nlattr *attr;
	bool ours = false;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			ours = kernel_is_wireguard(attr);
		else if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
			 !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			name = mnl_attr_get_str(attr);
	}
	return ours && name ? name_list_add(data, name) : 0;
}

int kernel_list(struct name_list *list)
{
	struct nlmsghdr *nlh;
	struct nl *nl;
	int ret;

	ret = nl_open(&nl, NETLINK_ROUTE);
	if (ret)
		return ret;
	nlh = nl_request(nl, RTM_GETLINK, NLM_F_DUMP);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	ret = nl_talk(nl, kernel_take_link, list);
	nl_close(nl);
	/* Links that came or went meanwhile: the list is as good as any. */
	return ret == -EINTR ? 0 : ret;
}

static int kernel_take_device(const struct nlmsghdr *nlh, void *data)
{
	return codec_take_device(data, nlh);
}

static int kernel_dump(struct nl *nl, uint16_t family, const char *name,
		       struct model_device *dev)
{
	struct nlmsghdr *nlh;

	nlh = nl_request(nl, family, NLM_F_DUMP);
	codec_put_get(nlh, name);
	return nl_talk(nl, kernel_take_device, dev);
}

/* Append the kernel's own words to the errno. */
static int kernel_fail(struct ctx *ctx, const struct nl *nl, int err)
{
	if (*nl_text(nl))
		ctx_fail(ctx, err, "Kernel: %s", nl_text(nl));
	return err;
}

/* Read until nothing changes in between; always from the beginning. */
static int kernel_get_stable(struct ctx *ctx, struct nl *nl, const char *name,
			     struct model_device *dev)
{
	uint16_t family;
	int ret, tries;

	ret = nl_genl_family(nl, WG_GENL_NAME, &family);
	if (ret)
		return ret;
	for (tries = 0; tries < KERNEL_TRIES; tries++) {
		if (tries)
			ctx->pause_ms(tries);
		model_device_reset(dev);
		ret = kernel_dump(nl, family, name, dev);
		if (ret != -EINTR)
			return ret ? kernel_fail(ctx, nl, ret) : 0;
	}
	return ctx_fail(ctx, ret,
			"The interface kept changing while it was read; gave up after %d attempts",
			KERNEL_TRIES);
}

int kernel_get(struct ctx *ctx, const char *name, struct model_device **out)
{
	struct model_device *dev = NULL;
	struct nl *nl;
	int ret;

	if (strlen(name) >= MODEL_NAME_SIZE)
		return -ENAMETOOLONG;
	ret = nl_open(&nl, NETLINK_GENERIC);
	if (ret)
		return ret;
	dev = model_device_create(name);
	ret = dev ? kernel_get_stable(ctx, nl, name, dev) : -ENOMEM;
	nl_close(nl);
	if (ret)
		model_device_free(dev);
	else
		*out = dev;
	return ret;
}

int kernel_set(struct ctx *ctx, const struct model_device *dev)
{
	struct codec_cursor cur;
	struct nlmsghdr *nlh;
	bool more = true;
	uint16_t family;
	struct nl *nl;
	int ret;

	ret = nl_open(&nl, NETLINK_GENERIC);
	if (ret)
		return ret;
	ret = nl_genl_family(nl, WG_GENL_NAME, &family);
	codec_begin(&cur, dev);
	while (!ret && more) {
		nlh = nl_request(nl, family, NLM_F_ACK);
		more = codec_put_set(&cur, nlh, NL_SEND_SIZE);
		ret = nl_talk(nl, NULL, NULL);
		if (ret)
			kernel_fail(ctx, nl, ret);
		else if (*nl_text(nl))
			ctx_warn(ctx, "Kernel: %s", nl_text(nl));
	}
	nl_close(nl);
	return ret;
}
