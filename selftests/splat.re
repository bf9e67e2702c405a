BUG:
kernel BUG at
WARNING:
\[ cut here \]
Oops
general protection fault
Unable to handle kernel
Kernel panic
Call Trace:
INFO: (rcu|task|trying|possible|NMI)
blocked for more than
soft lockup
UBSAN:
KFENCE:
ODEBUG:
DEBUG_LOCKS_WARN_ON
possible (circular|recursive|irq lock|deadlock)
suspicious RCU usage
inconsistent lock state
refcount_t:
unregister_netdevice: waiting
list_(add|del) corruption
ref_tracker: .*(leak|has [0-9]+/[0-9]+ users)
kmem_cache_destroy
kmemleak: [0-9]+ new suspected
