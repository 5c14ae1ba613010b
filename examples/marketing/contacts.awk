# contacts.awk: write a contacts CSV such as a marketing team exports, defects included.
#
#     awk -v rows=6000 -f contacts.awk > contacts.csv
#
# Deterministic: the same rows for the same number.  About one row in forty has a
# defect: a broken or repeated address, a missing name, an unknown segment, a score
# out of range, a date that is none, a row with a column too few.

# A number in [0, n), from a linear congruential generator that stays exact in doubles.
function pick(n) {
    seed = (seed * 16807) % 2147483647
    return int(seed / 2147483647 * n)
}

# One field, quoted where CSV wants it.
function field(text) {
    if (text ~ /[",\n]/) {
        gsub(/"/, "\"\"", text)
        return "\"" text "\""
    }
    return text
}

function two(number) {
    return sprintf("%02d", number)
}

BEGIN {
    if (rows == 0) rows = 6000
    seed = 20260101
    n_first = split("Ada Alan Aïcha Björn Carla Chen Diego Elif Émile Fatima Grace Hana Igor Jürgen Keiko Lars María Noor Olga Priya Quentin Rosa Søren Tomás Uma Viktor Wei Ximena Yusuf Zoë", first, " ")
    n_last = split("Adeyemi Bauer Castillo Dubois Eriksen Fischer García Haddad Ito Jensen Kowalski Larsen Müller Nakamura O'Brien Park Quispe Rossi Schmidt Tanaka Usman Vogel Wang Xu Yılmaz Zhang", last, " ")
    n_domain = split("example.com example.org example.net mail.example.com", domain, " ")
    n_region = split("North South East West", region, " ")
    n_segment = split("prospect customer vip churned", segment, " ")
    n_company = split("Acme, Inc.|Globex|Initech|Umbrella \"Labs\"|Hooli|Stark & Söhne|Wayne Enterprises|", company, "|")

    print "Email,First Name,Last Name,Company,Region,Segment,Score,Lifetime Value,Opted In,Signed Up,Notes"
    for (i = 1; i <= rows; i++) {
        f = first[1 + pick(n_first)]
        l = last[1 + pick(n_last)]
        email = "contact" i "@" domain[1 + pick(n_domain)]
        c = company[1 + pick(n_company)]
        r = region[1 + pick(n_region)]
        s = segment[1 + pick(n_segment)]
        score = pick(101)
        value = pick(2000000) / 100
        opted = pick(3) == 0 ? "false" : "true"
        day = (2019 + pick(7)) "-" two(1 + pick(12)) "-" two(1 + pick(28))
        note = ""
        if (pick(20) == 0) note = "Met at the fair,\nasked for \"pricing\""
        else if (pick(15) == 0) note = "prefers phone"

        defect = pick(40) == 0 ? 1 + pick(7) : 0
        if (defect == 1) email = "contact" i " at example.com"
        if (defect == 2) email = "contact" (i > 100 ? i - 100 : 1) "@example.com"
        if (defect == 3) f = ""
        if (defect == 4) s = "V.I.P."
        if (defect == 5) score = 100 + 1 + pick(400)
        if (defect == 6) email = ""
        line = field(email) "," field(f) "," field(l) "," field(c) "," r "," s "," score "," sprintf("%.2f", value) "," opted "," day
        if (defect == 7) print line
        else print line "," field(note)
    }
}
