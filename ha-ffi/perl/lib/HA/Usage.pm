package HA::Usage;

# Figures, as hosts give them.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'usage' }

sub _of {
    my ($class, $usage) = @_;
    my $self = $class->_own(HA::FFI::get('usage_new'));
    for my $what (qw(node service)) {
        my $given = $usage->{"${what}s"} // {};
        for my $name (sort keys %$given) {
            HA::FFI::call("usage_set_$what" => $self, $name, map { $given->{$name}{$_} // 0 } qw(max_cpu max_memory cpu memory));
        }
    }
    return $self;
}

1;
