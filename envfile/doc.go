// Package envfile reads and edits .env files, and replaces them on disk.
//
// # Reading
//
// There is no one .env format. The package models eight readers, one Dialect
// each, as they were measured (testdata/readings.json): of a file with quotes,
// comments, export or $ hardly two of them return the same. Read says what one
// of them makes of a file, and never guesses: where only running the file would
// tell (a command substitution, for the Shell), the variable is Unknown, and where
// something else in the file may have another say it is Stated. A reader that
// would refuse the file gives a *ReadError with the line.
//
// The one form that all of them read alike is NAME=value, without spaces,
// quotes, export or a comment behind it, and with a value that is SafeUnquoted.
// That is the form that edits write whenever they can.
//
// # Editing
//
// Parse keeps every byte. Edit changes only the lines it must:
//
//   - A name that is set already is replaced in place, on the last line that
//     sets it, since in every reader the last one wins. The line keeps its line
//     end, and loses export unless every reader in question knows it.
//   - A new name goes to the end, on a line of its own, after the newline that
//     the last line may lack, with CR LF where the whole file has it.
//   - Comments stay, a commented-out assignment of the same name too.
//   - Lines inside the quoted value of another variable are never touched,
//     though some readers take them for assignments.
//   - Nothing changes when the value is right already.
//
// Before an edit is accepted, the result is read back. The name must have its
// value for the readers in use, and no other variable may read otherwise than
// before: in any dialect, or where that cannot be had, or in a file of more than
// 32768 assignments, for those in use. (A value that refers to the name changes
// with it.) If the usual place reads wrong, another is tried; if none is right, a
// *BlockedError names the line in the way. Change.Verify then proves that no byte
// outside the changed lines differs.
//
// # Secrets
//
// Errors name lines, never their content. Var, Line, File, Set, LineDiff and
// Change print without any value, whatever the verb.
package envfile
