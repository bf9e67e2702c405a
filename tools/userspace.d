userspace.o: userspace.c userspace.h ctx.h kernel.h model.h \
 wireguard_uapi.h base64.h curve25519.h parse.h
userspace.h:
ctx.h:
kernel.h:
model.h:
wireguard_uapi.h:
base64.h:
curve25519.h:
parse.h:
