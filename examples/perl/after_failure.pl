#!/usr/bin/perl
# Reads the configuration and the manager status of a cluster from a folder, checks it, and says where each service would go
# if a node died.
#
#   after_failure.pl FOLDER [NODE ...]
use v5.26;
use warnings;
use HA;

binmode STDOUT, ':encoding(UTF-8)';

sub read_file {
    my ($path) = @_;
    open my $file, '<:raw', $path or return;
    local $/;
    return scalar <$file>;
}

my ($folder, @nodes) = @ARGV;
die "usage: $0 FOLDER [NODE ...]\n" unless defined $folder;

my $configuration = HA::Configuration->new;
for my $name (qw(resources.cfg groups.cfg rules.cfg datacenter.cfg fence.cfg)) {
    my $bytes = read_file("$folder/$name") // next;
    $configuration->read($name, $bytes);
    say "$name: $_" for $configuration->problems($name);
}
my $status = HA::ManagerStatus->new(read_file("$folder/manager_status") // die "no manager_status in $folder\n");
my @all = sort keys %{$status->nodes};

say 'left out: ', $_->message for HA::Rules->new($configuration, @all)->dropped;

my $situation = HA::Situation->new($status, $configuration);
for my $node (@nodes ? @nodes : @all) {
    say "if $node died:";
    my @recoveries = $situation->after_failure($node);
    say "  $_->{sid} -> ", $_->{to} // 'nowhere', " ($_->{decided_by})" for @recoveries;
    say '  nothing would move' unless @recoveries;
}
