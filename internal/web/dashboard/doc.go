// Package dashboard is the pages with which people live: their workflows, what
// ran, why it failed, and what to do now.
//
// Each page is a templ component that shows a struct, and a route beside it that
// fills the struct by the services that the API uses, under the same policies and
// objects. What a form changes is done by those services too.
//
// How pages look belongs in ui, pages of administrators in admin.
package dashboard
