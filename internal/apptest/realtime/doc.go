// Package realtime holds the promises about events that are told live. The suite
// is run against each home of the channels: the node inside of the server, and
// with the build tag external a real Centrifugo, configured as
// 'flowwd centrifugo config' says.
package realtime
