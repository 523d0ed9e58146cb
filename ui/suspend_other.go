//go:build !unix

package ui

// There are no jobs here.

func watchSuspend(func(), func(error)) (end func()) { return func() {} }

func haveShell() bool { return false }

func stopJob() {}
