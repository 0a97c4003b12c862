// Package moving backs up, restores and migrates whole installations: the
// database with the keys in the data folder.
//
//	backup:   snapshot → file, read again → its name
//	restore:  file, read once → empty database, read again → keys → released
//	migrate:  source fenced → snapshot → empty database, read again → released
//
// All three carry rows as package transfer describes, and none trusts what it
// has written before it has read it again. A database that is being filled is
// marked, so that no server starts on a part of one; what was interrupted is run
// again.
//
// It knows neither SQL (store) nor the form of the file (transfer).
package moving
