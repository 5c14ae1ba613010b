# Web pages in a browser: how they look, whether they work, what assistive technology is told,
# and that hostile content stays content.  Drives headless Chromium over its debugging pipe
# (https://chromedevtools.github.io/devtools-protocol/).
use strict;
use warnings;

use Compress::Zlib ();
use Cwd;
use JSON::PP;
use MIME::Base64;
use POSIX ();
use Time::HiRes qw(time);

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($browser) = grep { -x $_ } map { my $dir = $_; map { "$dir/$_" } qw(chromium chromium-browser) } split /:/, $ENV{PATH};
plan skip_all => 'there is no chromium' unless defined $browser;

my $json = JSON::PP->new->utf8->allow_nonref;
my ($to_browser, $from_browser, $browser_pid, $session);
my ($number, $unread, @events) = (0, '');

# Start the browser with a pipe on its descriptors 3 and 4.
sub start_browser
{
	my ($home, $try) = @_;
	pipe(my $read, my $write) or die "pipe: $!";
	pipe(my $back, my $reply) or die "pipe: $!";
	$browser_pid = fork() // die "fork: $!";
	if ($browser_pid == 0)
	{
		my ($in, $out) = (POSIX::dup(fileno $read), POSIX::dup(fileno $reply));
		($in, $out) = map { my $fd = $_; while ($fd < 10) { $fd = POSIX::dup($fd) } $fd } $in, $out;
		POSIX::dup2($in, 3);
		POSIX::dup2($out, 4);
		open STDERR, '>', "$home/browser.log";
		open STDOUT, '>&', \*STDERR;
		$ENV{HOME} = $home;
		exec { $browser } $browser, qw(--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars
			--no-first-run --disable-extensions --disable-background-networking --remote-debugging-pipe),
			"--user-data-dir=$home/profile$try", 'about:blank'
			or POSIX::_exit(1);
	}
	close $read;
	close $reply;
	($to_browser, $from_browser, $unread) = ($write, $back, '');
}

# End it, and wait until it is gone.
sub stop_browser
{
	my $pid = $browser_pid // return;
	undef $browser_pid;
	local $?;
	kill 'TERM', $pid;
	for (1 .. 100)
	{
		return if waitpid($pid, POSIX::WNOHANG()) != 0;
		select undef, undef, undef, 0.1;
	}
	kill 'KILL', $pid;
	waitpid $pid, 0;
}

END { stop_browser(); }
$SIG{PIPE} = 'IGNORE';

# The next message of the browser; dies where none comes for long.
sub message
{
	while ((my $end = index($unread, "\0")) < 0)
	{
		my $ready = '';
		vec($ready, fileno $from_browser, 1) = 1;
		select($ready, undef, undef, $PostgreSQL::Test::Utils::timeout_default) > 0 or die 'the browser does not answer';
		sysread($from_browser, $unread, 1 << 20, length $unread) or die 'the browser is gone';
	}
	$unread =~ s/^([^\0]*)\0//s;
	return $json->decode($1);
}

# Call a method; events that come meanwhile are kept.
sub call
{
	my ($method, %params) = @_;
	my $id = ++$number;
	print {$to_browser} $json->encode({ id => $id, method => $method, params => \%params, ($session ? (sessionId => $session) : ()) }), "\0";
	$to_browser->flush;
	for (;;)
	{
		my $got = message();
		if (!defined $got->{id}) { push @events, $got; next }
		next if $got->{id} != $id;
		die "$method: " . $json->encode($got->{error}) if $got->{error};
		return $got->{result};
	}
}

# The value of an expression in the page.
sub evaluate
{
	my ($expression) = @_;
	my $got = call('Runtime.evaluate', expression => $expression, returnByValue => JSON::PP::true, awaitPromise => JSON::PP::true);
	die "$expression: " . $json->encode($got->{exceptionDetails}) if $got->{exceptionDetails};
	return $got->{result}{value};
}

# Wait until an expression is true.
sub wait_for
{
	my ($expression) = @_;
	my $until = time + $PostgreSQL::Test::Utils::timeout_default;
	while (time < $until)
	{
		return 1 if eval { evaluate("!!($expression)") };
		select undef, undef, undef, 0.05;
	}
	return 0;
}

# Load a file; what it asks for and what goes wrong is among the events.
sub load_page
{
	my ($file) = @_;
	@events = ();
	call('Page.navigate', url => "file://$file");
	# the page before may still answer for a moment
	my $name = $json->encode($file);
	wait_for("document.readyState === 'complete' && decodeURI(location.pathname) === $name && window.sigma") or die "$file was not loaded";
}

sub troubles
{
	return map { $json->encode($_->{params}) } grep {
		$_->{method} eq 'Runtime.exceptionThrown' || $_->{method} eq 'Page.javascriptDialogOpening'
		|| ($_->{method} eq 'Runtime.consoleAPICalled' && $_->{params}{type} =~ /error|warning/)
		|| ($_->{method} eq 'Log.entryAdded' && $_->{params}{entry}{level} eq 'error') } @events;
}

sub requests
{
	return grep { /^(https?|wss?|ftp|blob):/ } map { $_->{params}{request}{url} } grep { $_->{method} eq 'Network.requestWillBeSent' } @events;
}

# A screen of that width and colour scheme, where nothing moves while it is measured or clicked.
sub set_screen
{
	my ($width, $height, $scheme) = @_;
	call('Emulation.setDeviceMetricsOverride', width => $width, height => $height, deviceScaleFactor => 1,
		mobile => $width < 600 ? JSON::PP::true : JSON::PP::false);
	call('Emulation.setEmulatedMedia', features => [ { name => 'prefers-color-scheme', value => $scheme }, { name => 'prefers-reduced-motion', value => 'reduce' } ]);
}

# How bright a screenshot is on the average (0 to 255), and how many different colours it has (of a sample).
sub look
{
	my $png = decode_base64(call('Page.captureScreenshot', format => 'png')->{data});
	my ($width, $height) = unpack 'x16 N N', $png;
	my ($bits, $type) = unpack 'x24 C C', $png;
	my $bytes = $type == 6 ? 4 : 3;
	my ($at, $data) = (8, '');

	while ($at < length $png)
	{
		my ($length, $chunk) = unpack "x$at N a4", $png;
		$data .= substr($png, $at + 8, $length) if $chunk eq 'IDAT';
		$at += $length + 12;
	}
	$data = Compress::Zlib::uncompress($data);
	my @above = (0) x ($width * $bytes);
	my ($sum, $count, %colours) = (0, 0);
	for my $y (0 .. $height - 1)
	{
		my ($filter, @row) = unpack 'C*', substr($data, $y * ($width * $bytes + 1), $width * $bytes + 1);
		for my $i (0 .. $#row)
		{
			my $left = $i >= $bytes ? $row[ $i - $bytes ] : 0;
			my $corner = $i >= $bytes ? $above[ $i - $bytes ] : 0;
			my $guess = $filter == 1 ? $left : $filter == 2 ? $above[$i] : $filter == 3 ? int(($left + $above[$i]) / 2) : 0;
			if ($filter == 4)
			{
				my ($a, $b, $c) = (abs($above[$i] - $corner), abs($left - $corner), abs($left + $above[$i] - 2 * $corner));
				$guess = $a <= $b && $a <= $c ? $left : $b <= $c ? $above[$i] : $corner;
			}
			$row[$i] = ($row[$i] + $guess) & 255;
		}
		for (my $x = 0; $x < $width; $x += 7)
		{
			my @colour = @row[ $x * $bytes .. $x * $bytes + 2 ];
			$sum += ($colour[0] + $colour[1] + $colour[2]) / 3;
			$colours{"@colour"}++;
			$count++;
		}
		@above = @row;
	}
	return ($sum / $count, scalar keys %colours);
}

sub press
{
	my ($key) = @_;
	my %codes = (ArrowRight => 39, ArrowLeft => 37, Home => 36, End => 35, Escape => 27, Tab => 9, Enter => 13);
	call('Input.dispatchKeyEvent', type => $_, key => $key, code => $key, windowsVirtualKeyCode => $codes{$key}) for qw(rawKeyDown keyUp);
}

# A click with the mouse in the middle of an element, or at a place.
sub click
{
	my ($selector, $x, $y) = @_;
	if (defined $selector)
	{
		my $at = evaluate("(() => { const e = document.querySelector(" . $json->encode($selector)
			. "); e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()");
		($x, $y) = @$at;
	}
	call('Input.dispatchMouseEvent', type => $_, x => $x, y => $y, button => 'left', clickCount => 1) for qw(mousePressed mouseReleased);
}

# The database and its pages.
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION sigma');
my $csv = Cwd::abs_path($node->basedir) . '/contacts.csv';
system_or_bail('sh', '-c', "awk -v rows=600 -f examples/marketing/contacts.awk > '$csv'");
$node->command_ok([ 'psql', '-qX', '-d', $node->connstr('postgres'), '-v', "csv=$csv", '-f', 'examples/marketing/page.sql' ], 'the page of the marketing app');

$node->safe_psql('postgres', <<'SQL');
SELECT sigma.create_page('{"id": "parts", "name": "Parts", "children": [
    {"id": "run", "type": "button", "text": "Run", "actions": [{"id": "seq_run", "name": "run", "actions": [
        {"type": "data_modification", "subtype": "insert_row", "target": "plan", "parameters": {"values": {"Name": "[Control/choice]", "Channel": "email"}}}]}]},
    {"id": "hide", "type": "button", "text": "Hide", "actions": [{"id": "seq_hide", "name": "hide", "actions": [{"type": "element", "subtype": "toggle", "target": "note"}]}]},
    {"id": "next", "type": "button", "text": "Next", "actions": [{"id": "seq_next", "name": "next", "actions": [{"type": "tabs", "subtype": "select", "target": "hidden_tabs", "parameters": {"direction": "next"}}]}]},
    {"id": "side", "type": "button", "text": "Side", "actions": [{"id": "seq_side", "name": "side", "actions": [{"type": "modal", "subtype": "open", "target": "drawer"}]}]},
    {"id": "choice", "type": "control", "control_type": "text", "label": "Choice"}, {"id": "choice_again", "type": "control", "control_type": "text", "label": "Choice again", "variable": "choice"},
    {"id": "amount", "type": "control", "control_type": "slider", "label": "Amount", "min": 0, "max": 10, "default_value": 4},
    {"id": "several", "type": "control", "control_type": "list", "multiple": true, "values": ["a", "b"], "label": "Several", "default_value": ["b"]},
    {"id": "note", "type": "text", "content": "a note"},
    {"id": "hidden_tabs", "type": "tabs", "show_tab_bar": false, "tabs": [{"id": "t1", "label": "One", "children": [{"id": "x1", "type": "text", "content": "first"}]},
        {"id": "t2", "label": "Two", "disabled": true}, {"id": "t3", "label": "Three", "children": [{"id": "x3", "type": "text", "content": "third"}]}]},
    {"id": "pop", "type": "popover", "label": "Filters", "children": [{"id": "popped", "type": "text", "content": "inside"}]},
    {"id": "sure", "type": "modal", "title": "Sure?", "prevent_close_on_overlay": true,
        "on_open": {"id": "seq_opened", "actions": [{"type": "control", "subtype": "clear_value", "target": "choice"}]}, "on_close": {"id": "seq_closed", "actions": [{"type": "control", "subtype": "clear_value", "target": "choice"}]}},
    {"id": "drawer", "type": "drawer", "title": "Detail", "side": "start", "width": "xs", "children": [{"id": "in", "type": "text", "content": "of a row"}]}]}');
SELECT sigma.create_page('{"id": "grounds", "name": "Grounds", "children": [
    {"id": "dark_ground", "type": "container", "background_color": "#102a43", "children": [{"id": "dark_text", "type": "text", "content": "on dark"},
        {"id": "dark_field", "type": "control", "control_type": "text", "label": "Field", "default_value": "typed"}, {"id": "dark_button", "type": "button", "text": "Second", "variant": "secondary"},
        {"id": "dark_chart", "type": "chart", "title": "Drawn", "source": "plan", "x": "Channel", "y": "Budget"}]},
    {"id": "light_ground", "type": "container", "background_color": "white", "children": [{"id": "light_text", "type": "text", "content": "on light"},
        {"id": "light_field", "type": "control", "control_type": "number", "label": "Number", "default_value": 3},
        {"id": "unset", "type": "control", "control_type": "range-slider", "label": "Between", "min": 10, "max": 90},
        {"id": "slide", "type": "control", "control_type": "slider", "label": "Slide"}, {"id": "upload", "type": "control", "control_type": "file-upload", "label": "File"},
        {"id": "span", "type": "control", "control_type": "date-range", "label": "Period", "default_value": {"start": "2026-01-01", "end": "2026-03-31"}}]},
    {"id": "box_tabs", "type": "tabs", "tab_style": "box", "tabs": [{"label": "A", "content": "first"}, {"label": "B"}]}]}');
SELECT sigma.create_input_table(jsonb_build_object('id', 'evil', 'name', '</title></style></script><script>alert(1)</script>', 'columns', jsonb_build_array(
    jsonb_build_object('name', '"><img src=x onerror=alert(1)>', 'type', 'text'), jsonb_build_object('name', $$' onmouseover='alert(1)$$, 'type', 'dropdown',
        'validation', jsonb_build_object('values', jsonb_build_array('<iframe srcdoc="<script>alert(1)</script>">'))))));
INSERT INTO sigds.sigds_evil VALUES ('</td></table></script><script>alert(1)</script><svg onload=alert(1)>', '<iframe srcdoc="<script>alert(1)</script>">');
SELECT sigma.create_page(jsonb_build_object('id', 'hostile', 'title', '</title><script>alert(1)</script>{{"<img src=x onerror=alert(1)>"}}', 'children', jsonb_build_array(
    jsonb_build_object('id', 'h1', 'type', 'input_table', 'source', 'evil'), jsonb_build_object('id', 'h2', 'type', 'form', 'input_table', 'evil'),
    jsonb_build_object('id', 'h3', 'type', 'chart', 'source', 'evil', 'x', '"><img src=x onerror=alert(1)>'),
    jsonb_build_object('id', 'h4', 'type', 'image', 'url', 'javascript:alert(1)', 'alt', 'x'), jsonb_build_object('id', 'h5', 'type', 'text', 'content', E'# <img src=x onerror=alert(1)>\n- **<script>alert(1)</script>**'),
    jsonb_build_object('id', 'h6', 'type', 'button', 'text', '"onclick="alert(1)', 'actions', jsonb_build_array(jsonb_build_object('id', 'seq_h6', 'name', 'h6', 'actions',
        jsonb_build_array(jsonb_build_object('type', 'navigation', 'subtype', 'open_link', 'target', E'java\tscript:alert(1)'))))))));
SQL
my $home = Cwd::abs_path($node->basedir);
for my $page (qw(overview parts grounds hostile))
{
	append_to_file("$home/$page.html", $node->safe_psql('postgres', "SELECT sigma.render_html('$page')"));
}

# a browser that does not come up is no failure of the pages
for my $try (1 .. 3)
{
	start_browser($home, $try);
	last if eval {
		my $target = call('Target.createTarget', url => 'about:blank')->{targetId};
		$session = call('Target.attachToTarget', targetId => $target, flatten => JSON::PP::true)->{sessionId};
	};
	diag("start $try of the browser: $@", slurp_file("$home/browser.log"));
	stop_browser();
}
die 'no browser' unless $session;
call("$_.enable") for qw(Page Runtime Log Network Accessibility);

# How it looks: on narrow and wide screens, light and dark.
for my $screen ([ 320, 640 ], [ 768, 900 ], [ 1440, 900 ])
{
	my %bright;
	for my $scheme (qw(light dark))
	{
		set_screen(@$screen, $scheme);
		load_page("$home/overview.html");
		my $name = "$screen->[0] pixels, $scheme";
		cmp_ok(evaluate('document.documentElement.scrollWidth'), '<=', $screen->[0], "$name: nothing stands out at the side");
		is(evaluate('[...document.querySelectorAll("main .el")].filter(e => e.offsetParent && !e.closest(".scroll,dialog") && e.getBoundingClientRect().right > innerWidth + 0.5).length'),
			0, "$name: no element either");
		cmp_ok(evaluate('Math.min(...[...document.querySelectorAll("main .el")].filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect().width))'),
			'>=', 84, "$name: every element has room");
		my ($brightness, $colours) = look();
		$bright{$scheme} = $brightness;
		cmp_ok($colours, '>', 20, "$name: there is something to see");
		is_deeply([ troubles() ], [], "$name: no errors");
		is_deeply([ requests() ], [], "$name: nothing is asked from elsewhere");
	}
	cmp_ok($bright{light}, '>', 200, "$screen->[0] pixels: light is light");
	cmp_ok($bright{dark}, '<', 60, "$screen->[0] pixels: dark is dark");
}

# The page of 24 columns: elements stand where the grid says.
my $places = evaluate('["kpi_contacts", "kpi_value", "by_month", "by_segment"].map(id => { const b = document.querySelector(`[data-sigma-id=${id}]`).getBoundingClientRect(); return [b.left, b.right, b.top].map(Math.round); })');
is($places->[0][2], $places->[1][2], 'elements of one row begin at one height');
is($places->[1][0] - $places->[0][1], 16, 'medium spacing is 16 pixels');
cmp_ok(abs(($places->[2][1] - $places->[2][0]) / ($places->[3][1] - $places->[3][0]) - 2), '<', 0.05, '16 columns are twice as wide as 8');

# Tabs, with the mouse and with keys.
my $selected = 'document.querySelector("[data-sigma-id=views] [role=tab][aria-selected=true]").textContent';
is(evaluate($selected), 'Campaign plan', 'the first tab is chosen');
click('[data-sigma-tab=tab_contacts]');
is(evaluate($selected), 'Contacts', 'a click chooses another one');
is(evaluate('[...document.querySelectorAll("[data-sigma-id=views] > [role=tabpanel]")].map(p => p.checkVisibility()).join()'), 'false,true,false', 'whose panel is shown');
press('ArrowRight');
is(evaluate("$selected + document.activeElement.textContent"), 'RegionsRegions', 'an arrow chooses and focuses the next');
press('ArrowRight');
is(evaluate($selected), 'Regions', 'the last one is the last');
press('Home');
is(evaluate($selected), 'Campaign plan', 'Home is the first');
is(evaluate('document.querySelectorAll("[data-sigma-id=views] [role=tab][tabindex=\"0\"]").length'), 1, 'one tab is in the order of Tab');

# Rows: pages and order.
my $range = 'document.querySelector("[data-sigma-id=plan_grid] .range").textContent';
my $first = '[...document.querySelectorAll("[data-sigma-id=plan_grid] tbody")].find(b => !b.hidden).rows[0].cells[0].textContent';
is(evaluate($range), "1\x{2013}25 of 48", 'the first rows');
my $before = evaluate($first);
click('[data-sigma-id=plan_grid] [data-sigma-turn="1"]');
is(evaluate($range), "26\x{2013}48 of 48", 'the next rows');
isnt(evaluate($first), $before, 'which are others');
ok(evaluate('document.querySelector("[data-sigma-id=plan_grid] [data-sigma-turn=\"1\"]").disabled'), 'there are no more');
click('[data-sigma-id=plan_grid] [data-sigma-turn="-1"]');
my $column = 'JSON.stringify([...document.querySelectorAll("[data-sigma-id=plan_grid] tbody tr")].map(r => Number(r.cells[3].textContent.replaceAll(",", ""))))';
click('[data-sigma-id=plan_grid] th[data-sigma-column=Budget] .sort');
my $numbers = $json->decode(evaluate($column));
is_deeply($numbers, [ sort { $a <=> $b } @$numbers ], 'a click on a head sorts');
is(evaluate('document.querySelector("[data-sigma-id=plan_grid] th[data-sigma-column=Budget]").ariaSort'), 'ascending', 'and says so');
click('[data-sigma-id=plan_grid] th[data-sigma-column=Budget] .sort');
$numbers = $json->decode(evaluate($column));
is_deeply($numbers, [ sort { $b <=> $a } @$numbers ], 'another one turns it round');

# A dialog: opened by a button, closed by keys, its corner, the place beside it; its form is checked.
my $open = 'document.querySelector("[data-sigma-id=campaign_form]").open';
click('[data-sigma-element=new_campaign]');
ok(evaluate($open), 'a button opens the dialog');
is(evaluate('document.querySelector("[data-sigma-id=campaign_form]").getBoundingClientRect().width'), 640, 'which is as wide as its size says');
press('Escape');
ok(!evaluate($open), 'Escape closes it');
click('[data-sigma-element=new_campaign]');
click('[data-sigma-id=campaign_form] [data-sigma-close]');
ok(!evaluate($open), 'its corner closes it');
click('[data-sigma-element=new_campaign]');
click(undef, 5, 5);
ok(!evaluate($open), 'a click beside it closes it');
click('[data-sigma-element=new_campaign]');
my $form = 'document.querySelector("[data-sigma-form=campaign_fields]")';
evaluate("window.heard = []; for (const name of ['fire', 'submit', 'change', 'page']) document.addEventListener('sigma:' + name, e => { heard.push([name, e.detail]); if (name === 'submit') e.preventDefault(); }); 1");
evaluate("$form.querySelector('[name=Name]').value = 'A new one'; $form.querySelector('[name=Channel]').value = 'event'; $form.querySelector('[name=Budget]').value = 60000; 1");
ok(!evaluate("$form.checkValidity()"), 'a value that breaks its rule is not taken');
is(evaluate("$form.querySelector('[name=Budget]').validationMessage"), 'A budget is at most 50,000.', "with the rule's message");
click('[data-sigma-form=campaign_fields] button[type=submit]');
is(evaluate('heard.filter(h => h[0] === "submit").length'), 0, 'and nothing is sent');
evaluate("$form.querySelector('[name=Budget]').focus(); $form.querySelector('[name=Budget]').select(); 1");
call('Input.insertText', text => '1200.5');
click('[data-sigma-form=campaign_fields] [value=launch]');
click('[data-sigma-form=campaign_fields] button[type=submit]');
my ($sent) = grep { $_->[0] eq 'submit' } @{ evaluate('heard') };
is($sent->[1]{table_id}, 'plan', 'what is right is sent');
my %values = %{ $sent->[1]{values} };
is_deeply([ @values{qw(Name Channel Budget Owner Tags)} ], [ 'A new one', 'event', 1200.5, undef, ['launch'] ], 'as JSON of the types of its columns');
is($values{Approved} ? 1 : 0, 0, 'a box that is not checked is false');
my $row = $json->encode(\%values);
is($node->safe_psql('postgres', "SELECT accepted FROM jsonb_to_record(sigma.handle_data_entry('plan', \$json\$$row\$json\$)) AS t(accepted int)"), 1, 'the table takes it');

# What assistive technology is told.
press('Escape');
my @nodes = grep { !$_->{ignored} } @{ call('Accessibility.getFullAXTree')->{nodes} };
my %nameless = map { ($_->{role}{value} => 1) }
	grep { ($_->{name}{value} // '') eq '' && $_->{role}{value} =~ /^(button|tab|textbox|combobox|checkbox|radio|switch|slider|spinbutton|table|dialog|image|tabpanel|tablist|link|heading|figure)$/ } @nodes;
delete $nameless{figure};
is_deeply(\%nameless, {}, 'everything that can be used has a name');
my %named = map { ("$_->{role}{value} " . ($_->{name}{value} // '') => 1) } @nodes;
ok($named{$_}, "there is $_") for ('heading Marketing overview', 'button New campaign', 'tab Contacts', 'tabpanel Campaign plan', 'table Campaign plan', 'radio planned', 'button Next rows');
ok((grep { /^(image|img|graphics-document) Budget by month and channel: bar chart, 11 values of Starts/ } keys %named), 'a chart says what it shows');
is_deeply([ troubles() ], [], 'no errors until here');

# What the page does by itself, and what it tells a client.
load_page("$home/parts.html");
evaluate("window.heard = []; for (const name of ['fire', 'change', 'tab']) document.addEventListener('sigma:' + name, e => heard.push([name, e.detail])); 1");
click('[data-sigma-element=hide]');
ok(!evaluate('document.querySelector("[data-sigma-id=note]").checkVisibility()'), 'a sequence hides an element');
click('[data-sigma-element=hide]');
ok(evaluate('document.querySelector("[data-sigma-id=note]").checkVisibility()'), 'and shows it again');
click('[data-sigma-element=next]');
ok(evaluate('document.querySelector("[data-sigma-id=x3]").checkVisibility()'), 'a sequence chooses the next tab that can be');
click('[data-sigma-element=side]');
ok(wait_for('document.querySelector("dialog.drawer").open && document.querySelector("dialog.drawer").getBoundingClientRect().left === 0'), 'a drawer opens at its side');
press('Escape');
click('[popovertarget]');
ok(evaluate('document.querySelector("[popover]").matches(":popover-open")'), 'a popover opens');
ok(wait_for('document.querySelector("[popovertarget]").ariaExpanded === "true"'), 'and its button says so');
press('Escape');
ok(!evaluate('document.querySelector("[popover]").matches(":popover-open")'), 'Escape closes it');
evaluate('sigma.open("sure"), 1');
click(undef, 5, 5);
ok(evaluate('document.querySelector("[data-sigma-id=sure]").open'), 'a dialog that must not close so stays');
evaluate('sigma.close("sure"), 1');
is_deeply([ map { [ $_->[1]{trigger_type}, $_->[1]{sequences} ] } @{ evaluate('heard.filter(h => h[0] === "fire" && h[1].element_id === "sure")') } ],
	[ [ 'modal_open', ['seq_opened'] ] ], 'opening a dialog starts its sequence; closing it by an effect starts none');
evaluate('heard.length = 0, sigma.open("sure"), 1');
click('[data-sigma-id=sure] [data-sigma-close]');
is_deeply([ map { [ $_->[1]{trigger_type}, $_->[1]{sequences} ] } @{ evaluate('heard') } ],
	[ [ 'modal_open', ['seq_opened'] ], [ 'modal_close', ['seq_closed'] ] ], 'closing it by hand does');
evaluate('document.querySelector("[data-sigma-id=choice] input").focus(), 1');
call('Input.insertText', text => 'typed "text"');
press('Tab');
is(evaluate('document.querySelector("[data-sigma-id=choice_again] input").value'), 'typed "text"', 'inputs of one variable share its value');
# a toast goes by itself: what it says is kept
evaluate('heard.length = 0; window.told = ""; new MutationObserver(() => told += document.querySelector(".toasts").textContent).observe(document.body, {childList: true, subtree: true})');
click('[data-sigma-element=run]');
my ($fired) = grep { $_->[0] eq 'fire' } @{ evaluate('heard') };
is_deeply([ @{ $fired->[1] }{qw(element_id trigger_type sequences)} ], [ 'run', 'click', ['seq_run'] ], 'what needs the database is told to a client');
is_deeply($fired->[1]{context}{controls}, { choice => 'typed "text"', amount => 4, several => ['b'] }, 'with the context of the page');
like(evaluate('told'), qr/needs the database/, 'without a client the page says so');
my $context = $json->encode($fired->[1]{context});
like($node->safe_psql('postgres', "SELECT sigma.fire_trigger('run', 'click', \$json\$$context\$json\$)->0->>'status'"), qr/^success$/, 'and the database takes that context');
is_deeply([ troubles() ], [], 'no errors there');

# Elements on a background of their own are readable in either scheme, and controls have room.
my $contrast = <<'JS';
(id => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const light = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(c => (c /= 255, c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const at = document.querySelector(`[data-sigma-id=${id}]`), part = at.querySelector("input, .btn, p, h3") ?? at;
    let ground = part;
    while (/^(transparent|rgba\(0, 0, 0, 0\))$/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
    const [a, b] = [light(getComputedStyle(part).color), light(getComputedStyle(ground).backgroundColor)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
})
JS
for my $scheme (qw(light dark))
{
	set_screen(320, 640, $scheme);
	load_page("$home/grounds.html");
	cmp_ok(evaluate("$contrast('$_')"), '>=', 4.5, "$_ is readable where the system is $scheme")
		for qw(dark_text dark_field dark_button dark_chart light_text light_field);
	is(evaluate('[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 && !e.closest(".scroll")).map(e => e.outerHTML.slice(0, 80)).join()'),
		'', "nothing stands out at the side, $scheme");
}
my $controls = 'sigma.context().controls';
is_deeply(evaluate($controls), { dark_field => 'typed', light_field => 3, unset => { min => undef, max => undef }, slide => undef, upload => undef,
	span => { start => '2026-01-01', end => '2026-03-31' } }, 'a slider that was not moved has no value');
is_deeply(evaluate('[...document.querySelectorAll("[data-sigma-id=unset] input")].map(i => i.value)'), [ 10, 90 ], 'and stands at its ends');
evaluate('sigma.setControl("unset", { min: 20, max: null }), 1');
is_deeply(evaluate("$controls.unset"), { min => 20, max => undef }, 'an end that is set has one');
evaluate('(() => { const i = document.querySelector("[data-sigma-id=slide] input"); i.value = 7; i.dispatchEvent(new Event("input", { bubbles: true })); })()');
is(evaluate("$controls.slide"), 7, 'and so has one that was moved');
is_deeply([ troubles() ], [], 'no errors on the grounds');

# Hostile content.
load_page("$home/hostile.html");
is(evaluate('document.scripts.length'), 1, 'there is one script');
is(evaluate('document.querySelectorAll("body img, body iframe, [onclick], [onerror], [onload], [onmouseover], a[href^=java]").length'), 0, 'and nothing that content made');
is(evaluate('document.querySelector("[data-sigma-id=h1] td").textContent'), '</td></table></script><script>alert(1)</script><svg onload=alert(1)>', 'a cell is what it is');
is(evaluate('document.title'), '</title><script>alert(1)</script><img src=x onerror=alert(1)>', 'so is the title');
click('[data-sigma-element=h6]');
evaluate('sigma.apply([{type: "navigation", subtype: "open_link", target: "javascript:alert(1)"}]), 1');
evaluate('(() => { const s = document.createElement("script"); s.textContent = "window.broken = 1"; document.body.append(s); })()');
ok(evaluate('window.broken === undefined'), 'a script that got into the page would not run');
is_deeply([ grep { $_->{method} eq 'Page.javascriptDialogOpening' || $_->{method} eq 'Page.windowOpen' } @events ], [], 'nothing was run');

stop_browser();
$node->stop;
done_testing();
