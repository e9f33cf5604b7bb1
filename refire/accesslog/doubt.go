package accesslog

import (
	"net/http"
	"slices"
	"strconv"
)

// doubt says why main makes no sense for the lines that were looked at: what stands where their status should is none in any of them, or is many different ones
// that are none. A number of bytes, or of milliseconds, that stands before the status has three digits often enough. A few statuses of an application's own
// are nothing to doubt.
func (t *trial) doubt(main Format) string {
	const enough, many = 3, 5
	var odd, all int
	seen := map[int]bool{}
	for _, c := range t.claims {
		if main == Auto || c.odd || !c.has(main) {
			continue
		}
		if all++; !isKnownStatus(c.status) {
			odd++
			seen[c.status] = true
		}
	}
	numbers := len(seen) >= many && len(seen)*4 >= odd && odd*10 > all
	if odd < enough || odd < all && !numbers {
		return ""
	}
	var list []string
	for status := range seen {
		list = append(list, strconv.Itoa(status))
	}
	slices.Sort(list)
	if most := 5; len(list) > most {
		list = append(list[:most], "others")
	}
	if len(list) == 1 {
		return list[0] + ", where the status should be, is none that servers use"
	}
	return enumerate(list) + ", where the status should be, are none that servers use"
}

// isKnownStatus reports whether a status is registered (IANA, HTTP Status Code Registry), or is one of those that servers write beside them: none at all,
// and those of nginx (444, 494 to 499), Apache and cPanel (509), IIS (440, 449, 450), AWS (460 to 464, 561), Cloudflare (520 to 530), Laravel (419, 420), Akamai and
// proxies (418, 598, 599), Twitter's and Shopify's (430, 783).
func isKnownStatus(status int) bool {
	switch {
	case status == 0, http.StatusText(status) != "":
		return true
	case 494 <= status && status <= 499, 460 <= status && status <= 464, 520 <= status && status <= 530:
		return true
	}
	return slices.Contains([]int{104, 218, 419, 420, 430, 440, 444, 449, 450, 509, 540, 561, 598, 599, 783}, status)
}
