// Package deploy holds what runs around the server: the configuration of nginx
// as a load balancer, a Grafana dashboard and Prometheus alerts. The files are
// used as they are; Go makes the first one, and its tests hold all of them
// against the program.
package deploy

import (
	_ "embed"
	"strings"
	"text/template"
)

//go:embed nginx.conf.tmpl
var nginx string

// Balancer is what differs from one load balancer to another.
type Balancer struct {
	Listen string   // as nginx takes it: a port, or address:port
	Nodes  []string // host:port
	Folder string   // which nginx may write to
}

// Compose is the load balancer of docker-compose.yml.
func Compose() Balancer {
	return Balancer{Listen: "3000", Nodes: []string{"node-1:3000", "node-2:3000"}, Folder: "/tmp"}
}

// Nginx returns the configuration of a load balancer.
func (b Balancer) Nginx() (string, error) {
	t, err := template.New("nginx.conf").Parse(nginx)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = t.Execute(&text, b)
	return text.String(), err
}
