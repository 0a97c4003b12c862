// Package ui is what all pages are made of: the frame around them, the parts that
// they share, the style, and what runs in browsers.
//
// Show puts a component into the frame, and is the only way out: it sets the
// Content-Security-Policy, which allows no script and no style but the files in
// assets. Those are inside the binary, and their addresses hold a hash of their
// content, so that browsers keep them for good. Pages work without any script;
// scripts only make them quicker and live.
//
// No page belongs here, and nothing that knows workflows or users.
package ui
