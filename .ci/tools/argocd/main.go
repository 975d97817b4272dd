// The parts of Argo CD that make a cluster what git says, in one program: the controller of Applications, the
// server that renders what is in a repository, and the controller of ApplicationSets. Which of them it is, is the
// name it is called by (a link), or its first argument: `argocd repo-server --port …`. The API server and its
// web page are left out: its page is not in the module, and nobody here looks at one.
//
// go.mod is Argo CD's own: its replacements are repeated, as those of a module that is required do not count.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	askpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/util/log"
)

// programs is the table: a name without `argocd-`, and what it starts.
var programs = map[string]func() *cobra.Command{
	"application-controller":    controller.NewCommand,
	"applicationset-controller": applicationset.NewCommand,
	"git-ask-pass":              askpass.NewCommand,
	"repo-server":               reposerver.NewCommand,
}

func main() {
	create, ok := programs[strings.TrimPrefix(filepath.Base(os.Args[0]), "argocd-")]
	if !ok && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		create, ok = programs[strings.TrimPrefix(os.Args[0], "argocd-")]
	}
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: no such program; there are:\n", os.Args[0])
		for name := range programs {
			fmt.Fprintln(os.Stderr, " ", name)
		}
		os.Exit(2)
	}
	klog.SetLogger(log.NewLogrusLogger(log.NewWithCurrentConfig()))
	if err := create().Execute(); err != nil {
		os.Exit(1)
	}
}
