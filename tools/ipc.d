ipc.o: ipc.c ipc.h ctx.h kernel.h model.h wireguard_uapi.h userspace.h
ipc.h:
ctx.h:
kernel.h:
model.h:
wireguard_uapi.h:
userspace.h:
