// SPDX-License-Identifier: GPL-2.0
/*
 * A netlink socket that reports errors in words. (layer 1)
 *
 * libmnl's own run loop is not used: its handler for NLMSG_DONE ignores the
 * error code inside, and a WireGuard dump always ends with one.
 */
#include "nl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	char text[NL_TEXT_SIZE];
	_Alignas(NLMSG_ALIGNTO) char send[NL_SEND_SIZE];
	_Alignas(NLMSG_ALIGNTO) char recv[NL_RECV_SIZE];
};

/* One exchange: what nl_talk() has seen so far. */
struct nl_exchange {
	nl_handler handler;
	void *data;
	bool done;
	bool interrupted;
	int ret;
};

int nl_open(struct nl **out, int bus)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int one = 1, err;

	if (!nl)
		return -ENOMEM;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		nl_close(nl);
		return err;
	}
	/* Kernels without these still work, with fewer words. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	nl->seq = time(NULL);
	*out = nl;
	return 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	explicit_bzero(nl, sizeof(*nl));
	free(nl);
}

struct nlmsghdr *nl_request(struct nl *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->send);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	return nlh;
}

const char *nl_text(const struct nl *nl)
{
	return nl->text;
}

/* Keep the first message text among the attributes from @offset on. */
static void nl_keep_text(struct nl *nl, const struct nlmsghdr *nlh,
			 size_t offset)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) < offset)
		return;
	mnl_attr_for_each(attr, nlh, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING)) {
			snprintf(nl->text, sizeof(nl->text), "%s",
				 mnl_attr_get_str(attr));
			return;
		}
	}
}

/* Both carry a negative errno or 0, then (maybe the request, then) text. */
static int nl_take_error(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += err->msg.nlmsg_len - sizeof(err->msg);
	nl_keep_text(nl, nlh, offset);
	return err->error;
}

static int nl_take_done(struct nl *nl, const struct nlmsghdr *nlh)
{
	int err;

	/* Some families of old kernels send a bare DONE. */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(err))
		return 0;
	memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	nl_keep_text(nl, nlh, sizeof(err));
	return err;
}

static void nl_take(struct nl *nl, const struct nlmsghdr *nlh,
		    struct nl_exchange *x)
{
	int ret = 0;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		return;
	case NLMSG_ERROR:
		ret = nl_take_error(nl, nlh);
		x->done = true;
		break;
	case NLMSG_DONE:
		ret = nl_take_done(nl, nlh);
		x->done = true;
		break;
	case NLMSG_OVERRUN:
		ret = -ENOBUFS;
		x->done = true;
		break;
	default:
		/* Read on after an error: the rest must leave the socket. */
		if (x->handler && !x->ret)
			ret = x->handler(nlh, x->data);
	}
	if (!x->ret)
		x->ret = ret > 0 ? -EBADMSG : ret;
}

/* One datagram of the kernel; its bytes may be keys and are wiped. */
static int nl_receive(struct nl *nl, struct nl_exchange *x)
{
	const struct nlmsghdr *nlh = (const void *)nl->recv;
	ssize_t got;
	int len;

	got = mnl_socket_recvfrom(nl->sock, nl->recv, sizeof(nl->recv));
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	for (len = got; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq == nl->seq && !x->done)
			nl_take(nl, nlh, x);
	}
	explicit_bzero(nl->recv, got);
	return 0;
}

int nl_talk(struct nl *nl, nl_handler handler, void *data)
{
	struct nl_exchange x = { .handler = handler, .data = data };
	struct nlmsghdr *nlh = (void *)nl->send;
	ssize_t sent;
	int ret = 0;

	nl->text[0] = '\0';
	do {
		sent = mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		ret = -errno;
	explicit_bzero(nl->send, nlh->nlmsg_len);
	while (!ret && !x.done)
		ret = nl_receive(nl, &x);
	if (!ret)
		ret = x.ret;
	return !ret && x.interrupted ? -EINTR : ret;
}

static int nl_take_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	uint16_t *id = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    !mnl_attr_validate(attr, MNL_TYPE_U16))
			*id = mnl_attr_get_u16(attr);
	}
	return 0;
}

int nl_genl_family(struct nl *nl, const char *name, uint16_t *id)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;
	int ret;

	*id = 0;
	nlh = nl_request(nl, GENL_ID_CTRL, NLM_F_ACK);
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	ret = nl_talk(nl, nl_take_family, id);
	if (ret == -ENOENT || (!ret && !*id))
		return -EPROTONOSUPPORT;
	return ret;
}
