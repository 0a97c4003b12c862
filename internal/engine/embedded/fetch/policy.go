package fetch

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Policy says which addresses code may reach. The zero value allows what is
// public.
type Policy struct {
	allow, deny []rule
}

// rule means addresses of a network, or a name, with one port or with all.
type rule struct {
	network netip.Prefix
	name    string
	port    uint16
}

// ParsePolicy reads what is allowed and denied beside the rules that are built
// in: each a list with commas of networks (10.0.0.0/8), addresses and names,
// with or without a port.
func ParsePolicy(allow, deny string) (Policy, error) {
	var p Policy
	var err error
	if p.allow, err = parseRules(allow); err != nil {
		return p, err
	}
	p.deny, err = parseRules(deny)
	return p, err
}

func parseRules(list string) ([]rule, error) {
	var rules []rule
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		r, ok := parseRule(text)
		if !ok {
			return nil, fmt.Errorf("%q is no network, address or name, with or without a port; write 10.0.0.0/8, 10.1.2.3:8080 or intranet.example:443", text)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(text string) (rule, bool) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return rule{network: network.Masked()}, true
	}
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return ruleOf(addr, 0), true
	}
	if at, err := netip.ParseAddrPort(text); err == nil {
		return ruleOf(at.Addr(), at.Port()), true
	}
	name, port, hasPort := strings.Cut(strings.ToLower(text), ":")
	r := rule{name: strings.TrimSuffix(name, ".")}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return r, false
		}
		r.port = uint16(n)
	}
	bad := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_'
	}
	return r, r.name != "" && !strings.ContainsFunc(r.name, bad)
}

func ruleOf(addr netip.Addr, port uint16) rule {
	addr = addr.Unmap()
	return rule{network: netip.PrefixFrom(addr, addr.BitLen()), port: port}
}

func (r rule) matches(name string, at netip.AddrPort) bool {
	if r.port != 0 && r.port != at.Port() {
		return false
	}
	if r.name != "" {
		return r.name == name
	}
	return r.network.Contains(at.Addr())
}

func matches(rules []rule, name string, at netip.AddrPort) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.matches(name, at) })
}

// Refused is a request to an address that code may not reach.
type Refused struct {
	// Name is what the code asked for, and At what it stands for.
	Name string
	At   netip.AddrPort
	// Why is the kind of the address.
	Why string
	// Denied says that the operator's own list refuses it.
	Denied bool
}

// Error names the address and what to set.
func (r *Refused) Error() string {
	what := r.At.String()
	if !r.At.IsValid() {
		what = r.Name
	} else if r.Name != r.At.Addr().String() {
		what = fmt.Sprintf("%s, which is %s,", r.Name, r.At)
	}
	if r.Denied {
		return fmt.Sprintf("%s must not be reached by workflows: the setting FLOWW_FETCH_DENY of the server has it", what)
	}
	allow := r.Name
	if r.At.IsValid() {
		allow = r.At.String()
	}
	return fmt.Sprintf("%s must not be reached by workflows (%s); whoever runs the server can allow it with FLOWW_FETCH_ALLOW=%s", what, r.Why, allow)
}

// checkName refuses names that stand for the machine's own metadata, before
// they are looked up.
func (p *Policy) checkName(name string) error {
	named := func(rules []rule) bool {
		return slices.ContainsFunc(rules, func(r rule) bool { return r.name == name })
	}
	if slices.Contains(metadataNames(), name) && !named(p.allow) {
		return &Refused{Name: name, Why: "metadata of the cloud"}
	}
	return nil
}

// check refuses an address that a name stands for.
func (p *Policy) check(name string, at netip.AddrPort, own func(netip.AddrPort) bool) error {
	at = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	if matches(p.deny, name, at) {
		return &Refused{Name: name, At: at, Denied: true}
	}
	if matches(p.allow, name, at) {
		return nil
	}
	if why := kindOf(at.Addr()); why != "" {
		return &Refused{Name: name, At: at, Why: why}
	}
	if own != nil && own(at) {
		return &Refused{Name: name, At: at, Why: "this server itself"}
	}
	return nil
}

func metadataNames() []string {
	return []string{"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
}
