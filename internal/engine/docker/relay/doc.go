// Package relay is the way between the server and a container that has no
// network: a process beside the container, in the same network namespace, whose
// standard input and output lead to the server.
//
// Both ends open streams over it. What connects to Address inside the namespace
// reaches the server; what the server opens reaches the container's own port.
// Nothing else leads in or out, so what code may reach is decided in the server.
package relay
