// CoreDNS with the plugins that a cluster without a way out needs: names of Services and pods, and
// what says how that goes. CoreDNS's own list generates two files; here it is a table. All of its
// plugins would bring the clients of three clouds.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

// order is that in which a query goes through them, as CoreDNS has it; plugin/metrics calls itself
// prometheus. A new plugin is an import and a name at its place here.
var order = []string{
	"reload", "ready", "health", "prometheus", "errors", "loadbalance", "cache", "kubernetes",
}

func main() {
	dnsserver.Directives = order
	coremain.Run()
}
