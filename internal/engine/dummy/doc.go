// Package dummy is an engine without an engine: its programs are a few lines
// that say what happens, and they run in the process. It exists for tests of
// what calls an engine.
//
// A program is the file "behaviour", else the entrypoint. Each line is one
// step; an empty line, or one that begins with #, is none:
//
//	trigger TYPE INPUT     declares a trigger of the provider builtin, alias
//	                       default; INPUT is JSON and may be left out
//	options JSON           {"timeout":SECONDS,"memory":MEGABYTES,
//	                       "concurrency":N,"onInterrupt":"rerun"|"fail"} of the last trigger
//	provider TYPE ALIAS    declares a provider
//	log TEXT               logs a line, in which $body stands for the event's
//	                       body; log.debug, log.info, log.warn and log.error
//	                       log a line of their level
//	flood N TEXT           logs a text N times
//	sleep DURATION         waits, such as 50ms
//	echo                   ends with the event's fields and body, as text
//	attempt                ends with the number of the attempt
//	return JSON            ends with a result
//	fail TEXT              ends as if the code threw
//	huge N                 ends with a result of N bytes
//	out-of-memory, crash, never-settles
//	                       ends with this failure
//	interrupt              ends as if the process was killed from outside
//	broken                 ends as if the engine itself failed
//	hang                   never ends by itself
//
// A program without a trigger line declares one onWebhook with the input {}.
// When the event's body is a JSON object with the text member "behaviour",
// these steps run instead of the program's.
package dummy
