// Package web is the pages for people: server-rendered, working without any
// script, by keyboard and on a phone.
// What leads into a session and out of it, and what people change of themselves,
// is here. Below it are ui, what all pages are made of; dashboard, the pages of
// workflows and what ran; and admin.
//
//	route.Raw with Page → handler → ui.Show(frame, component) → HTML
//
// Pages are templ components (*.templ; `make generate` makes Go of them), which
// escape all that they show. To add a page: a component with what it shows as a
// struct, and a route in the file beside it, registered in Register. Forms are
// posted to routes that answer a page again with what was wrong (ui.Field,
// ui.Alert), or redirect.
//
// No rule about who may do what belongs here, and no JSON.
package web
