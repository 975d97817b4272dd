"""One real node in namespaces of its own.

    cluster up ──── builds what is missing, then starts and watches
       │ pipe
    keeper ──────── outside: owns all that must be undone (files, cgroups), undoes it when the node ends
       │ dies with
    unshare
       │ dies with
    process 1 ───── inside: mounts, network, then the table of programs, each started again if it ends
       ├ containerd, runc ── pods
       └ etcd, API server, controllers, scheduler, kubelet, kube-proxy

Everything of a node hangs on one process, its process 1: when that ends, however it ends, the kernel
ends all the node's processes and drops its mounts and its network, and the keeper removes its cgroups
and its files. When the keeper is killed, the node dies with it; when `up` dies before the node is
ready, the pipe breaks and the keeper ends the node. So there is one way to clean up, and `down` is to
ask the keeper for it. What a killed keeper could not remove, `down` removes by itself.

Whoever holds the lock of a node's state folder is the one who may change it: the keeper as long as the
node lives, else `down` or `up`.
"""
