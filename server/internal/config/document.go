package config

import (
	"fmt"
	"strings"
)

// Example returns .env.example: every variable, its help and its default.
func Example() string {
	var b strings.Builder
	b.WriteString("# Settings of social-server. Copy this file to .env and change what you need:\n" +
		"# every line is optional, and shows its default. The environment wins over the file.\n" +
		"# Put values with $, # or spaces in 'single quotes'.\n")
	group := ""
	for _, v := range variables() {
		if v.group != group {
			group = v.group
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		fmt.Fprintf(&b, "# %s\n#%s=%s\n", strings.ReplaceAll(v.help, "`", ""), v.name, v.fallback)
	}
	return b.String()
}

// Table returns the variables as a Markdown table, for the README.
func Table() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n| --- | --- | --- |\n")
	for _, v := range variables() {
		shown := ""
		if v.fallback != "" {
			shown = "`" + v.fallback + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.name, shown, v.help)
	}
	return b.String()
}
