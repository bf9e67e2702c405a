/* SPDX-License-Identifier: GPL-2.0 */
/* A netlink socket that reports errors in words. (layer 1) */
#ifndef _WG_NL_H
#define _WG_NL_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

/* Messages to the kernel; also what one recv() may return. */
#define NL_SEND_SIZE	8192
#define NL_RECV_SIZE	32768
#define NL_TEXT_SIZE	256

struct nl;

/**
 * typedef nl_handler - takes one message that is neither ERROR nor DONE
 * @nlh:	message
 * @data:	as passed to nl_talk()
 *
 * Return: 0 or negative errno, which nl_talk() returns after the dump's end.
 */
typedef int (*nl_handler)(const struct nlmsghdr *nlh, void *data);

/**
 * nl_open() - open a socket with extended and capped acknowledgements
 * @nl:		result, to be closed with nl_close()
 * @bus:	NETLINK_GENERIC or NETLINK_ROUTE
 *
 * Return: 0 or negative errno.
 */
int nl_open(struct nl **nl, int bus);

/**
 * nl_close() - close the socket, wipe its buffers
 * @nl:		may be NULL
 */
void nl_close(struct nl *nl);

/**
 * nl_request() - begin a message in the send buffer
 * @nl:		socket
 * @type:	message type
 * @flags:	NLM_F_* beside NLM_F_REQUEST
 *
 * Return: the message; room for NL_SEND_SIZE bytes in all.
 */
struct nlmsghdr *nl_request(struct nl *nl, uint16_t type, uint16_t flags);

/**
 * nl_talk() - send the message of nl_request(), take all answers
 * @nl:		socket
 * @handler:	for answers, may be NULL
 * @data:	for @handler
 *
 * Return: 0, the kernel's negative errno (nl_text() may say more), -EINTR
 * for a dump that changed while it was read, or the handler's error.
 */
int nl_talk(struct nl *nl, nl_handler handler, void *data);

/**
 * nl_text() - the kernel's words about the last nl_talk()
 * @nl:		socket
 *
 * Return: one line, empty if it said nothing.
 */
const char *nl_text(const struct nl *nl);

/**
 * nl_genl_family() - look up the number of a generic netlink family
 * @nl:		socket on NETLINK_GENERIC
 * @name:	family
 * @id:		result
 *
 * Return: 0 or negative errno, -EPROTONOSUPPORT if there is no such family.
 */
int nl_genl_family(struct nl *nl, const char *name, uint16_t *id);

#endif /* _WG_NL_H */
