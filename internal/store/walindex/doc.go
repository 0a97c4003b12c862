// Package walindex keeps the index of SQLite's write-ahead log in memory.
//
// The processes that have a database open share that index by a file that each
// maps. SQLite puts it beside the database. A thread that writes to it while that
// disk stands still waits in a page fault, which Go's runtime takes for running
// code: when it wants to stop the world it waits for that thread, and everything
// else with it, answers that need no disk too. In memory nothing waits for a disk.
//
// Attach belongs here, and what SQLite has to be told so that it opens the file
// elsewhere. Everything else about the database is the store's.
package walindex
