// Package admin is the pages of administrators: how the installation is, who its
// users are, and what was done by whom. Each page that is opened is recorded.
//
// How pages look belongs in ui.
package admin
