package config

// Nearest is the valid name that a misspelt one is likely meant to be: the one
// that is fewest edits away, as long as that are no more than a third of its
// letters, and two at least. It is "" when none is near.
func Nearest(name string, valid []string) string {
	best, at := "", -1
	for _, v := range valid {
		if d := edits(name, v); (at < 0 || d < at) && d <= max(2, len(v)/3) {
			best, at = v, d
		}
	}
	return best
}

// edits counts the letters to insert, drop or change (Levenshtein's distance).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, corner+cost)
		}
	}
	return row[len(b)]
}
