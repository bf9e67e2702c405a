kernel.o: kernel.c kernel.h ctx.h model.h wireguard_uapi.h codec.h nl.h
kernel.h:
ctx.h:
model.h:
wireguard_uapi.h:
codec.h:
nl.h:
