// Package embedded is the home of the channels in this process: a node of the
// library that Centrifugo is made of, with the same client protocol.
//
// Clients connect by websocket, by HTTP streaming or by server-sent events. Who
// they are is told by a header, an emulated header of the first frame, a session
// cookie or a token; Gate is asked at each connect and each subscribe. Several
// servers share channels over Redis when they are given one; otherwise each
// serves its own subscribers alone.
package embedded
