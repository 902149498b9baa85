package HA::Error;

# What every function throws that fails.

use v5.26;
use warnings;
use HA::Interface;

use overload '""' => sub { $_[0]->message }, bool => sub { 1 }, fallback => 1;

my %STATUS = map { $HA::Interface::NUMBERS{status}{"error_$_"} => $_ } map { /\Aerror_(.+)/ } keys %{$HA::Interface::NUMBERS{status}};

sub new {
    my ($class, %fields) = @_;
    $fields{status} = $STATUS{$fields{status}} // $fields{status};
    return bless \%fields, $class;
}

sub throw { my $class = shift; die $class->new(@_) }

for my $field (qw(status message code line section field details)) {
    no strict 'refs';
    *$field = sub { $_[0]{$field} };
}

# As a plain hash.
sub as_hash { return { %{$_[0]} } }

1;
