// Package web is the pages for people: server-rendered, working without any
// script, by keyboard and on a phone.
//
//	route.Raw with Page → handler → show(frame, component) → HTML
//
// Pages are templ components (*.templ; `make generate` makes Go of them), which
// escape all that they show. show puts a component into the layout, and is the
// only way out: it sets the Content-Security-Policy, which allows no script and
// no style but the files in assets. Those are inside the binary, and their
// addresses hold a hash of their content, so that browsers keep them for good.
//
// To add a page: a templ component with what it shows as a struct, and a route
// in the file beside it, registered in Register. Forms are posted to routes that
// answer a page again with what was wrong (field, alert), or redirect.
//
// No rule about who may do what belongs here, and no JSON.
package web
