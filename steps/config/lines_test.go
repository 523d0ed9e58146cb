package config

import "testing"

// A value is named with its line however TOML lets it be written.
func TestTheLineOfAValueIsFoundInEveryForm(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line int // of the second url of staging
	}{
		"a header":         {"# x\n[environments.staging]\nurl = [\"https://a\",\n  # why\n  \"https://b\"]\n", 5},
		"a quoted header":  {"[environments.\"staging\"]\nurl = ['https://a', 'https://b']\n", 2},
		"spaces":           {"[ environments . staging ]\n  \"url\"=[\"https://a\",\"https://b\"]\n", 2},
		"dotted keys":      {"min_length = 50\n\nenvironments.staging.url = [\"https://a\", \"https://b\"]\n", 3},
		"an inline table":  {"environments = {staging = {url = [\"https://a\", \"https://b\"]}}\n", 1},
		"below the parent": {"[environments]\n# x\nstaging.url = [\"https://a\",\n\"https://b\"]\n", 4},
		"after other text": {"settings = '''\n[environments.staging]\nurl = 1\n'''\n[environments.staging]\nurl = [\"https://a\", \"https://b\"]\n", 6},
		"long texts":       {"[environments.staging]\nurl = [\"\"\"https://a\"\"\",\n\"\"\"https://b\"\"\"]\n", 3},
		"carriage returns": {"[environments.staging]\r\nrestart = \"none\"\r\nurl = [\"https://a\", \"https://b\"]\r\n", 3},
	} {
		conf, err := Parse("f", []byte(c.text), false)
		if err != nil || len(conf.Environments["staging"].URLs) != 2 {
			t.Errorf("%s: %v, %v", name, conf.Environments["staging"].URLs, err)
		}
		if got := conf.Line("staging", "url", 1); got != c.line {
			t.Errorf("%s: line %d, want %d", name, got, c.line)
		}
	}
}
