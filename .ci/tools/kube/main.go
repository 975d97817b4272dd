// The programs of a Kubernetes node in one: etcd, the API server, the controller manager, the
// scheduler, the kubelet, kube-proxy, and kubectl. Which of them it is, is the name it is called by
// (a link), or its first argument: `kube kubelet --config …`. They are made of the same packages,
// so one binary is a quarter of the seven, and is linked in a quarter of the time.
//
// go.mod is Kubernetes' own: its replacements by folders of its repository name the releases of the
// same code instead. So all else is at the version Kubernetes was released with.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// What their own main packages register: logs as JSON, the metrics of clients and of the version.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// ofCommand is a program that Kubernetes' own helper runs, and ends with its status.
func ofCommand(create func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(create())) }
}

// programs is the table: a name, and what it starts.
var programs = map[string]func(){
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"kube-apiserver":          ofCommand(apiserver.NewAPIServerCommand),
	"kube-controller-manager": ofCommand(controllers.NewControllerManagerCommand),
	"kube-scheduler":          ofCommand(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubelet":                 ofCommand(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
	"kube-proxy":              ofCommand(proxy.NewProxyCommand),
	"kubectl":                 ofCommand(kubectl.NewDefaultKubectlCommand),
}

func main() {
	program, ok := programs[filepath.Base(os.Args[0])]
	if !ok && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		program, ok = programs[os.Args[0]]
	}
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: no such program; there are:\n", os.Args[0])
		for name := range programs {
			fmt.Fprintln(os.Stderr, " ", name)
		}
		os.Exit(2)
	}
	program()
}
