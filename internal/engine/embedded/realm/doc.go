// Package realm runs JavaScript: it compiles programs to bytecode, and runs
// each Define and Run in a realm that nothing ran in before.
//
// A Machine is one QuickJS runtime whose whole memory lies in an arena. After
// the prelude has run, the memory is copied; after a program's bytecode is
// loaded, again. A run puts the program's copy back and calls the program's
// top level and one handler. It never frees anything: the next run puts a copy
// back as well. That a run sees nothing of an earlier one follows from that. When
// the top level does the same each time, the program's copy is of after it.
//
// The package knows nothing of processes, pipes and sandboxes. It does not end
// a run that takes too long: its process is killed for that, from outside.
package realm
