package HA::Locked;

# What an agent dies of where a lock of the guest does not allow a start, stop or move for now: no failure, it is tried again.

use v5.26;
use warnings;
use HA ();

use overload '""' => sub { "the guest is locked by '$_[0]{lock}'" }, bool => sub { 1 }, fallback => 1;

sub new {
    my ($class, $lock) = @_;
    HA::Error->throw(status => 'argument', message => 'a guest is locked by a lock with a name') unless length($lock // '');
    return bless { lock => $lock }, $class;
}

sub lock { return $_[0]{lock} }

sub throw { my $class = shift; die $class->new(@_) }

1;
