# The recorded scenarios, in the folder that HA_RECORDED names.
use v5.26;
use warnings;
use Test::More;
use HA;
use File::Basename qw(dirname basename);
use File::Spec;
require File::Spec->rel2abs(dirname(__FILE__) . '/../t/common.pl');

my @folders = sort glob "$ENV{HA_RECORDED}/*";
ok(scalar @folders, 'there are recorded scenarios') or BAIL_OUT('none in HA_RECORDED');
for my $folder (@folders) {
    my $simulation = HA::Simulation->play_folder($folder);
    is_deeply([map { "$_" } $simulation->failures], [], basename($folder));
}

# One of them event by event, as Perl sees them.
my ($folder) = grep { -s "$_/trace.jsonl" } @folders;
my @trace = map { JSON::PP::decode_json($_) } grep { /\S/ } split /\n/, slurp("$folder/trace.jsonl");
is_deeply([map { plain($_) } HA::Simulation->play_folder($folder)->recorded], \@trace, basename($folder) . ', event by event');

is(HA->live_handles, 0, 'nothing is left over');
done_testing;
