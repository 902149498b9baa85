#!/usr/bin/perl
# Writes a C program that calls every function of ha.h wrongly in a few ways: with nothing, with handles that were freed, and with
# handles of another type. None may crash, and none may answer 0 or that all is well where it was given no handle of its own.
#
#   make_sweep.pl HEADER > sweep.c
use v5.26;
use warnings;

my $header = do { local (@ARGV, $/) = @ARGV; <> };
$header =~ s{/\*.*?\*/}{}gs;
$header =~ s{//.*}{}g;
$header =~ s{^HA_MUST_USE\s+}{}gm;
my %opaque = map { $_ => 1 } $header =~ /typedef struct (ha_\w+) \1;/g;
my @functions = $header =~ /^((?:const )?\w+ \*?ha_\w+\([^;{]*\));/gm;
die "only " . @functions . " functions" if @functions < 150;

print <<'C';
/* Made by make_sweep.pl. */
#include "test.h"

int main(void)
{
    ha_configuration *freed = NULL, *other = NULL;
    void *handles[3];
    char room[64], *scratch[32];
    struct ha_text text;
    int way;

    WELL(ha_configuration_new(&freed, NULL));
    WELL(ha_configuration_free(freed));
    handles[0] = NULL;
    handles[1] = freed;
    memset(&text, 0, sizeof text);
    memset(scratch, 0, sizeof scratch);
    (void)room;
    for (way = 0; way < 3; way++) {
        WELL(ha_configuration_new(&other, NULL));
        handles[2] = other;
C

for my $function (@functions) {
    my ($result, $name, $list) = $function =~ /^(.*?)\b(ha_\w+)\(([^)]*)\)$/s or die $function;
    my @parameters = grep { $_ ne 'void' } map { s/\s+/ /gr =~ s/^ | $//gr } split /,/, $list;
    my (@arguments, @fresh, $takes_handle);
    for my $parameter (@parameters) {
        my ($type, $stars) = $parameter =~ /^(?:const )?(?:struct )?(\w+) (\**)/;
        my $last = $#arguments >= 0 ? $parameters[$#arguments] : '';
        if ($stars eq '*' && ($opaque{$type} || $type eq 'void')) {
            # Those of its own type are left alone: with them the call would be right.
            my $own = $type eq 'ha_configuration' || $type eq 'void';
            push @arguments, $own ? 'handles[way == 2 ? 1 : way]' : 'handles[way]';
            $takes_handle ||= $name !~ /_free$/;
        } elsif ($stars eq '**') {
            push @arguments, $type eq 'ha_error' ? 'NULL' : 'way ? (void *)scratch : NULL';
        } elsif ($stars eq '*' && $type eq 'char') {
            push @arguments, $parameter =~ /^const/ ? 'way ? "n1" : NULL' : 'way ? room : NULL';
        } elsif ($stars eq '*' && $type eq 'ha_text') {
            push @arguments, $name eq 'ha_text_free' ? 'NULL' : 'way ? &text : NULL';
        } elsif ($stars eq '*') {
            push @arguments, 'NULL';
        } elsif ($type eq 'size_t' && $last =~ /char \*/) {
            push @arguments, $last =~ /^const/ ? 'way ? 2 : 0' : 'way ? sizeof room : 0';
        } elsif ($type eq 'size_t') {
            push @arguments, '0';
        } else {
            push @arguments, '1';
        }
    }
    my $call = "$name(" . join(', ', map { $_ =~ /\?/ ? "($_)" : $_ } @arguments) . ')';
    if ($result =~ /ha_status/) {
        print $takes_handle ? "        CHECK($call < 0);\n" : "        CHECK($call != 0);\n";
        # What the call made is freed.
        for my $at (grep { $parameters[$_] =~ /\*\*/ && $parameters[$_] !~ /ha_error/ } 0 .. $#parameters) {
            next if $takes_handle;
            my ($type) = $parameters[$at] =~ /(ha_\w+) \*\*/;
            print "        if (way) {\n            ${type}_free((void *)scratch[0]);\n            scratch[0] = NULL;\n        }\n";
        }
        print "        if (way)\n            ha_text_free(&text);\n" if !$takes_handle && $call =~ /&text/ ;
    } else {
        print "        (void)$call;\n";
    }
}

print <<'C';
        WELL(ha_configuration_free(other));
    }
    return finish("sweep");
}
C
