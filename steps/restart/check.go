package restart

// Check tells whether a --restart value can be understood, before anything is
// done. Its error wraps steps.ErrUsage.
func Check(spec string) error {
	_, err := (&Step{}).way(spec)
	return err
}
