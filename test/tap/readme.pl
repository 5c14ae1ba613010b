# The README says what happens: its tour is the demo's output to the letter, and
# each of its SQL examples runs and prints what stands below it.
use strict;
use warnings;

use Cwd;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file('README.md');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding', 'UTF8', '--locale', 'C']);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$node->start;

# Run a psql script in a new database with the extension; returns what a terminal would show.
sub run_script
{
	my ($database, $script, @options) = @_;
	my ($out, $err) = ('', '');

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION sigma');
	my $file = $node->basedir . "/$database.sql";
	append_to_file($file, $script);
	IPC::Run::run(
		[ 'psql', '-qX', '-d', $node->connstr($database), @options, '-f', $file ],
		'>', \$out, '2>&1');
	$out =~ s/^psql:\Q$file\E:\d+: //mg;
	$out =~ s/[ \t]+$//mg;
	return $out;
}

# Blanks at line ends mean nothing in a README.
sub trimmed
{
	my ($text) = @_;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\s+\z/\n/;
	return $text;
}

# The tour.
my ($tour) = $readme =~ /<!-- tour -->\n+```[a-z]*\n(.*?)^```$/ms;
ok(defined $tour, 'the README has a tour');
my $csv = Cwd::abs_path($node->basedir) . '/contacts.csv';
system_or_bail('sh', '-c', "awk -v rows=6000 -f examples/marketing/contacts.awk > '$csv'");
my @variables = map { ('-v', $_) } split /\n/, slurp_file('examples/marketing/variables');
my $printed = run_script('tour', slurp_file('examples/marketing/demo.sql'), '-v', "csv=$csv", @variables);
$printed =~ s/\Q$csv\E/contacts.csv/g;
is(trimmed($printed), trimmed($tour // ''), 'the tour is what the demo prints');

# The examples: fenced "sql" blocks in order, in one session; a "text" block right below is the output.
my $script = '';
my @expected;
while ($readme =~ /^```sql\n(.*?)^```\n(?:\n*```text\n(.*?)^```\n)?/msg)
{
	push @expected, $2;
	$script .= "\\echo <<example " . scalar(@expected) . ">>\n$1";
}
my $output = run_script('examples', $script);
for my $i (1 .. @expected)
{
	my ($got) = $output =~ /^<<example $i>>\n(.*?)(?=^<<example |\z)/ms;
	if (defined $expected[ $i - 1 ])
	{
		is(trimmed($got), trimmed($expected[ $i - 1 ]), "example $i prints what the README says");
	}
	else
	{
		unlike($got, qr/^ERROR/m, "example $i runs");
	}
}
cmp_ok(scalar(@expected), '>=', 5, 'the README has examples');

# The table of settings names what sigma.element_types() lists, for each type of element.
my ($settings) = $readme =~ /^\| types \| settings .*?\n(.*?)\n\n/ms;
my ($of_all, %of_type, @unnamed);
foreach my $row (split /\n/, $settings // '')
{
	my (undef, $types, $text) = split / *\| */, $row, 3;
	$text =~ s/\\\|/|/g;
	if ($types =~ /^all but `(\w+)`/)
	{
		$of_all = $text;
	}
	elsif ($types =~ /^…/)
	{
		$of_type{control} .= " $text";
	}
	else
	{
		$of_type{$_} .= " $text" foreach $types =~ /`([\w-]+)`/g;
	}
}
my ($of_each) = $readme =~ /^Documents are flat:(.*)$/m;
foreach my $line (split /\n/, $node->safe_psql('examples', 'SELECT type, setting FROM sigma.element_types()'))
{
	my ($of, $setting) = split /\|/, $line;
	my $text = ($of_type{$of} // '') . " $of_each" . ($of eq 'divider' ? '' : " $of_all");
	push @unnamed, "$of.$setting" unless $text =~ /`$setting(?:[ `]|$)/ || $text =~ /\b$setting\b/;
}
is("@unnamed", '', 'the table of settings has every setting of every type');
cmp_ok(scalar(keys %of_type), '>=', 19, 'it was read');

# The reference of the formula language is the table of functions.
my ($reference) = $readme =~ /<!-- functions -->\n(.*?)<!-- \/functions -->/ms;
my $printed_reference = '';
IPC::Run::run([ 'psql', '-XqAt', '-d', $node->connstr('examples'), '-f', 'test/tap/functions_reference.sql' ], '>', \$printed_reference);
is($reference, $printed_reference, 'the reference of formulas is the table of functions');

# The table of actions names what sigma.action_types() lists, and nothing else.
my ($actions) = $readme =~ /^\| type \| subtype \| target, parameters .*?\n(.*?)\n\n/ms;
my (%rows, %listed, $type);
foreach my $row (split /\n/, $actions // '')
{
	my (undef, $first, @rest) = split / *(?<!\\)\| */, $row;
	next if $first =~ /^-*$/ && $row =~ /---/;
	($type) = $first =~ /`(\w+)`/ if $first ne '';
	$rows{$type} .= join ' ', $first, @rest, '';
	$listed{"$type $_"} = 1 foreach map { split /\W+/ } $rest[0] =~ /`([^`]*)`/g;
}
my %known;
my @missing;
foreach my $line (split /\n/, $node->safe_psql('examples', 'SELECT type, subtype, parameter FROM sigma.action_types()'))
{
	my ($of, $subtype, $parameter) = split /\|/, $line, 3;
	$known{"$of $subtype"} = 1;
	next if !defined $rows{$of} && ($rows{ai_query} // '') =~ /`$of`/;    # not built
	next if ($rows{$of} // '') =~ /0A000/;
	push @missing, grep { $_ ne '' && $_ ne 'target' && ($rows{$of} // '') !~ /\b$_\b/ } $subtype, $parameter;
}
is("@missing", '', 'the table of actions has every subtype and parameter');
is(join(' ', grep { !$known{$_} } sort keys %listed), '', 'and no other');
cmp_ok(scalar(keys %listed), '>', 30, 'it was read');

$node->stop;
done_testing();
